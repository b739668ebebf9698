"""What works for Tutor's one worker and not for copies of it is warned of, whatever the kind of the object."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.resource import Resource
from kustomizer.transform.copy_hazards import selector_hazards
from tests.keda_site import LMS_VARIANTS, Result, built, site, worked, worker

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}}"
NAME = "app.kubernetes.io/name"


def found(
    *others: dict[str, Any], pod: dict[str, Any] | None = None, container: dict[str, Any] | None = None
) -> Result:
    """Return the build of a site with these objects, and with this in its worker's pod."""
    lms = worker("lms", LMS_VARIANTS)
    template = lms["spec"]["template"]["spec"]
    template["volumes"] += (pod or {}).pop("volumes", [])
    template |= pod or {}
    template["containers"][0] |= container or {}
    return worked(SPLIT, site(lms_worker=lms, others=others))


def policy(spec: dict[str, Any], *, kind: str = "CiliumNetworkPolicy", namespace: str = "openedx") -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": kind,
        "metadata": {"name": "p", "namespace": namespace},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"podSelector": {"matchLabels": {NAME: "lms-worker"}}}, "spec.podSelector"),
        (
            {
                "podSelector": {
                    "matchExpressions": [{"key": NAME, "operator": "In", "values": ["lms-worker", "cms-worker"]}]
                }
            },
            "spec.podSelector",
        ),
        (
            {"ingress": [{"fromEndpoints": [{"matchLabels": {NAME: "lms"}}, {"matchLabels": {NAME: "lms-worker"}}]}]},
            "spec.ingress[0].fromEndpoints[1]",
        ),
        ({"endpointSelector": {"matchLabels": {f"k8s:{NAME}": "lms-worker"}}}, "spec.endpointSelector"),
        (
            {
                "endpointSelector": {
                    "matchLabels": {f"any:{NAME}": "lms-worker", "k8s:io.kubernetes.pod.namespace": "openedx"}
                }
            },
            "spec.endpointSelector",
        ),
        ({"selector": f"{NAME} == 'lms-worker'"}, "spec.selector"),
        ({"selector": f"!has(x) && {NAME} in {{'lms', 'lms-worker'}}"}, "spec.selector"),
        ({"selector": f"{NAME} ends with 'lms-worker' || {NAME} == 'x'"}, "spec.selector"),
        ({"selector": f"{NAME} like 'lms-worker'"}, "spec.selector"),
        ({"workloadSelector": {"labels": {NAME: "lms-worker"}}, "rules": []}, "spec.workloadSelector.labels"),
        ({"target": {"pods": {NAME: "lms-worker"}}}, "spec.target.pods"),
    ],
)
def test_a_selector_of_any_kind(spec: dict[str, Any], field: str) -> None:
    warnings = found(policy(spec)).warnings
    [warning] = warnings
    assert f"CiliumNetworkPolicy p in namespace openedx: {field}: selects the pods of lms-worker and not" in warning
    assert "lms-worker-high, lms-worker-high-mem" in warning


def cron_job(*command: str) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "k", "image": "i", "command": [*command]}]}
    spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    return {**policy(spec, kind="CronJob"), "apiVersion": "batch/v1"}


def role(*names: str) -> dict[str, Any]:
    rule = {"apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": [*names], "verbs": ["patch"]}
    role = {**policy({}, kind="Role"), "apiVersion": "rbac.authorization.k8s.io/v1", "rules": [rule]}
    del role["spec"]
    return role


def alert(expr: str) -> dict[str, Any]:
    spec = {"groups": [{"name": "g", "rules": [{"alert": "Down", "expr": expr}]}]}
    return {**policy(spec, kind="PrometheusRule"), "apiVersion": "monitoring.coreos.com/v1"}


ALL = ("lms-worker", "lms-worker-high", "lms-worker-high-mem")


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (
            cron_job("kubectl", "rollout", "restart", "deployment/lms-worker"),
            "spec.jobTemplate.spec.template.spec.containers[0]",
        ),
        (cron_job("sh", "-c", "kubectl scale deploy lms-worker cms-worker --replicas=0;"), "spec.jobTemplate.spec"),
        (cron_job("kubectl", "scale", *ALL, "--replicas=0"), ""),
        (cron_job("kubectl", "delete", "pod", "-l", "app.kubernetes.io/name=lms-worker"), ""),
        (cron_job("curl", "http://metrics/lms-worker"), ""),
        (role("lms-worker", "cms-worker"), "rules[0].resourceNames"),
        (role(*ALL), ""),
        (alert('kube_deployment_status_replicas{deployment="lms-worker"} == 0'), "spec.groups[0].rules[0].expr"),
        (alert('kube_deployment_status_replicas{deployment=~"lms-worker.*"} == 0'), ""),
        (
            alert('{deployment="lms-worker-high"} or {deployment="lms-worker-high-mem"} or {deployment="lms-worker"}'),
            "",
        ),
    ],
)
def test_what_names_the_deployment_for_others(other: dict[str, Any], field: str) -> None:
    warnings = found(other).warnings
    assert len(warnings) == bool(field)
    assert all(f"openedx: {field}" in each and "names Deployment lms-worker and not" in each for each in warnings)


@pytest.mark.parametrize(
    "other",
    [
        policy({"podSelector": {}}),
        policy({"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "openedx-demo"}}}),
        policy({"podSelector": {"matchLabels": {NAME: "cms-worker"}}}),
        policy({"podSelector": {"matchExpressions": [{"key": NAME, "operator": "Exists"}]}, "note": "lms-worker"}),
        policy({"podSelector": {"matchLabels": {NAME: "lms-worker"}}}, namespace="another"),
        policy(
            {
                "from": [
                    {"matchLabels": {NAME: name}} for name in ("lms-worker", "lms-worker-high", "lms-worker-high-mem")
                ]
            }
        ),
        policy({"selector": f"{NAME} starts with 'lms-worker'"}),
        policy({"selector": f"{NAME} != 'lms' && ({NAME} contains 'lms-worker' || all())"}),
        policy({"selector": f"{NAME} not in {{'lms-worker', 'lms-worker-high', 'lms-worker-high-mem'}}"}),
        policy({"selector": f"{NAME} == 'lms-worker' && tier == 'none'"}),
        policy({"selector": f"{NAME} contains {{}} || {NAME} starts with {{lms-worker}}"}),
        policy({"podSelector": None, "ingress": [None, 1, "x"], "text": "lms-worker"}),
    ],
)
def test_a_selector_that_holds_for_all_of_them_or_for_none(other: dict[str, Any]) -> None:
    assert not found(other).warnings


def not_in(*names: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": list(names)}]}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (policy({"endpointSelector": not_in("lms-worker", "cms-worker")}), "spec.endpointSelector"),
        (policy({"selector": f"{NAME} != 'lms-worker' && {NAME} != 'lms'"}), "spec.selector"),
        (
            policy({"podSelector": not_in("lms-worker"), "policyTypes": ["Egress"]}, kind="NetworkPolicy")
            | {"apiVersion": "networking.k8s.io/v1"},
            "spec.podSelector",
        ),
    ],
)
def test_what_leaves_the_worker_out_catches_its_copies(other: dict[str, Any], field: str) -> None:
    [warning] = found(other).warnings
    assert (
        f"{field}: leaves out the pods of lms-worker and not those of lms-worker-high, lms-worker-high-mem" in warning
    )
    names = "lms-worker, lms-worker-high, lms-worker-high-mem"
    assert f"NotIn [{names}]" in warning
    followed = policy({"podSelector": not_in(*names.split(", "))}, kind=other["kind"]) | {
        "apiVersion": other["apiVersion"]
    }
    assert not found(followed).warnings


CILIUM = {"k8s:io.kubernetes.pod.namespace": "openedx", f"k8s:{NAME}": "lms-worker"}


@pytest.mark.parametrize(
    ("other", "warned"),
    [
        (policy({"ingress": [{"fromEndpoints": [{"matchLabels": CILIUM}]}]}, namespace="data"), True),
        (policy({"ingress": [{"fromEndpoints": [{"matchLabels": CILIUM}]}]}), True),
        (policy({"endpointSelector": {"matchLabels": {NAME: "lms-worker"}}}, namespace="data"), False),
        (policy({"toEndpoints": [{"matchLabels": {**CILIUM, "k8s:io.kubernetes.pod.namespace": "b"}}]}), False),
    ],
)
def test_a_policy_of_ciliums_names_the_namespace(other: dict[str, Any], *, warned: bool) -> None:
    assert warned == any("selects the pods of lms-worker" in str(each) for each in found(other).output.problems)


def test_a_policy_that_states_its_namespace_and_a_worker_that_does_not() -> None:
    labels = {"metadata": {"labels": {NAME: "lms-worker"}}}
    lms, high = (
        Resource.new({"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}, indent=0)
        for name, template in (("lms-worker", labels), ("lms-worker-high", {"metadata": {"labels": {NAME: "high"}}}))
    )
    spec = {"endpointSelector": {"matchLabels": {NAME: "lms-worker"}}}
    other, own = (Resource.new(policy(spec, namespace=namespace), indent=0) for namespace in ("data", ""))
    [warning] = selector_hazards([other, own], lms, [high])
    assert warning.resource == own.ref


def elsewhere(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    group = {"PodMonitor": "monitoring.coreos.com/v1", "NetworkPolicy": "networking.k8s.io/v1"}[kind]
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "p", "namespace": "data"}, "spec": spec}


LMS_WORKER = {"matchLabels": {NAME: "lms-worker"}}


def peer(namespaces: Any, **more: Any) -> dict[str, Any]:
    of = {} if namespaces is None else {"namespaceSelector": namespaces}
    return elsewhere(
        "NetworkPolicy", {"podSelector": {}, "ingress": [{"from": [{**of, "podSelector": LMS_WORKER}]}]} | more
    )


@pytest.mark.parametrize(
    ("other", "warned"),
    [
        (elsewhere("PodMonitor", {"selector": LMS_WORKER, "namespaceSelector": {"any": True}}), True),
        (elsewhere("PodMonitor", {"selector": LMS_WORKER, "namespaceSelector": {"matchNames": ["openedx"]}}), True),
        (elsewhere("PodMonitor", {"selector": LMS_WORKER, "namespaceSelector": {"matchNames": ["b"]}}), False),
        (elsewhere("PodMonitor", {"selector": LMS_WORKER}), False),
        (peer({"matchLabels": {"kubernetes.io/metadata.name": "openedx"}}), True),
        (peer({"matchLabels": {"team": "learning"}}), True),
        (peer({}), True),
        (peer({"matchLabels": {"kubernetes.io/metadata.name": "b"}}), False),
        (peer(None), False),
        (peer(None, podSelector=LMS_WORKER), False),
    ],
)
def test_objects_of_another_namespace_that_are_about_the_worker(other: dict[str, Any], *, warned: bool) -> None:
    problems = [str(each) for each in found(other).output.problems]
    assert warned == any(
        "holds for lms-worker but not for lms-worker-high, lms-worker-high-mem" in each for each in problems
    )


def test_a_selector_that_says_it_twice() -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["selector"]["matchExpressions"] = [{"key": NAME, "operator": "In", "values": ["lms-worker"]}]
    result = worked(SPLIT, site(lms_worker=lms))
    [expression] = result.get("Deployment", "lms-worker-high")["spec"]["selector"]["matchExpressions"]
    assert expression["values"] == ["lms-worker-high"]


def autoscaler(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    group, field = ("autoscaling/v2", "scaleTargetRef") if kind[0] == "H" else ("autoscaling.k8s.io/v1", "targetRef")
    reference = {field: {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lms-worker"}}
    metadata = {"name": "lms-worker", "namespace": "openedx"}
    return {"apiVersion": group, "kind": kind, "metadata": metadata, "spec": {**reference, **spec}}


def test_copies_of_autoscalers_name_the_copys_container() -> None:
    policies = [{"containerName": "lms-worker", "mode": "Off"}, {"containerName": "*"}]
    metric = {"name": "cpu", "container": "lms-worker"}
    others = (
        autoscaler("VerticalPodAutoscaler", {"resourcePolicy": {"containerPolicies": policies}}),
        autoscaler(
            "HorizontalPodAutoscaler", {"metrics": [{"type": "ContainerResource", "containerResource": metric}]}
        ),
    )
    split = SPLIT.replace("{workers", "{copyTargeting: [HorizontalPodAutoscaler, VerticalPodAutoscaler], workers")
    result = worked(split, site(others=others))
    for name in ("lms-worker", "lms-worker-high"):
        [container] = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
        vertical = result.get("VerticalPodAutoscaler", name)["spec"]["resourcePolicy"]["containerPolicies"]
        assert [each["containerName"] for each in vertical] == [container["name"], "*"]
        [horizontal] = result.get("HorizontalPodAutoscaler", name)["spec"]["metrics"]
        assert horizontal["containerResource"]["container"] == container["name"]
    assert not result.output.problems


def test_copies_of_an_autoscaler_on_one_queue_are_warned_of() -> None:
    metric = {"type": "External", "external": {"metric": {"name": "queue_length"}}}
    cpu = {"type": "Resource", "resource": {"name": "cpu"}}
    split = SPLIT.replace("{workers", "{copyTargeting: [HorizontalPodAutoscaler], workers")
    for metrics, count in (([cpu, metric], 1), ([cpu], 0), (None, 0)):
        other = autoscaler("HorizontalPodAutoscaler", {"metrics": metrics})
        problems = worked(split, site(others=[other])).output.problems
        assert len(problems) == count
        if count:
            assert problems[0].field == "spec.metrics[1]"
            assert "lms-worker-high, lms-worker-high-mem scale on the number that lms-worker scales on" in str(
                problems[0]
            )


@pytest.mark.parametrize(
    ("hostname", "asked", "expected"),
    [
        ("edx.lms.core.default.%h", "celery@edx.lms.core.default.$HOSTNAME", "celery@edx.lms.core.high.$HOSTNAME"),
        ("edx.lms.core.default.%%h", "celery@edx.lms.core.default.%$HOSTNAME", "celery@edx.lms.core.high.$HOSTNAME"),
        ("worker@$(POD)", "worker@$POD", "edx.lms.core.high@$POD"),
        ("", "celery@$HOSTNAME", "edx.lms.core.high@$HOSTNAME"),
        ("edx.lms.core.default.%h", "edx.lms.core.default", "edx.lms.core.default"),
        ("lms-%h", "lms-$HOSTNAME && test -f /lms-ready", "edx.lms.core.high-$HOSTNAME && test -f /lms-ready"),
        # Copies have another kind of name, or a host that isn't known here.
        ("celery%h", "celery@celery$HOSTNAME", "celery@celery$HOSTNAME"),
        ("lms@site", "lms@site", "lms@site"),
        ("default", "celery@default", "celery@default"),
    ],
)
def test_a_copys_probes_ask_for_its_own_node(hostname: str, asked: str, expected: str) -> None:
    lms = worker("lms", LMS_VARIANTS)
    [container] = lms["spec"]["template"]["spec"]["containers"]
    container["args"] = [word for word in container["args"] if not word.startswith("--hostname")]
    container["args"] += [f"--hostname={hostname}"] if hostname else []
    probe = {"exec": {"command": ["sh", "-c", f"celery --app=lms.celery inspect ping -d {asked}"]}}
    container |= {"livenessProbe": probe, "lifecycle": {"preStop": probe}}
    result = worked(SPLIT, site(lms_worker=lms))
    for name, node in (("lms-worker", asked), ("lms-worker-high", expected)):
        [container] = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
        for found_probe in (container["livenessProbe"], container["lifecycle"]["preStop"]):
            assert found_probe["exec"]["command"][2] == f"celery --app=lms.celery inspect ping -d {node}"


def test_a_number_of_pods_that_flux_puts_in() -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["replicas"] = "${PODS:=2}"
    result = worked(SPLIT, site(lms_worker=lms))
    assert result.get("Deployment", "lms-worker")["spec"]["replicas"] == "${PODS:=2}"


@pytest.mark.parametrize("value", ["900", True, 900.5, []])
def test_a_number_that_is_none(value: Any) -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = value
    [message] = built(SPLIT, site(lms_worker=lms)).errors
    assert "spec.template.spec.terminationGracePeriodSeconds: isn't a whole number" in message


@pytest.mark.parametrize(("namespace", "chosen"), [("openedx", {}), ("monitoring", {"any": True}), ("monitoring", {})])
@pytest.mark.parametrize("copied", [True, False])
def test_a_service_monitor_selects_services_that_are_copied(
    namespace: str, chosen: dict[str, Any], *, copied: bool
) -> None:
    labels = {NAME: "lms-worker"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "lms-worker", "namespace": "openedx", "labels": labels},
        "spec": {"selector": labels, "ports": [{"port": 80}]},
    }
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "m", "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "namespaceSelector": chosen, "endpoints": [{"port": "m"}]},
    }
    split = SPLIT.replace("{workers", "{copyTargeting: [Service], workers") if copied else SPLIT
    warnings = [str(each) for each in worked(split, site(others=[service, monitor])).output.problems]
    expected = "selects the Service of lms-worker and not those of lms-worker-high, lms-worker-high-mem"
    assert any(expected in warning for warning in warnings) == (copied and (namespace == "openedx" or bool(chosen)))


def test_a_variable_that_is_no_string() -> None:
    lms = worker("lms", LMS_VARIANTS)
    [container] = lms["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "A", "value": "5"}, {"name": "B", "value": 5}, {"name": "C", "value": None}]
    [message] = built(SPLIT, site(lms_worker=lms)).errors
    assert "spec.template.spec.containers[0].env[1].value: isn't a string: it needs quotes" in message


def test_a_kind_of_another_group_is_not_kubernetes_own() -> None:
    calico = policy({"selector": f"{NAME} == 'lms-worker'"}, kind="NetworkPolicy")
    calico["apiVersion"] = "projectcalico.org/v3"
    [problem] = found(calico).output.problems
    assert problem.field == "spec.selector"
    assert "not those of lms-worker-high, lms-worker-high-mem" in problem.message


def test_an_autoscaler_of_another_kind_names_it_by_a_field() -> None:
    spec = {"deploymentName": "lms-worker", "minReplicas": 1, "queueURI": "sqs://a"}
    [warning] = found(policy(spec, kind="WorkerPodAutoScaler")).warnings
    assert "spec.deploymentName: names Deployment lms-worker and not lms-worker-high, lms-worker-high-mem" in warning


def test_what_names_the_deployment() -> None:
    def rollout(*names: str) -> dict[str, Any]:
        return policy({"refs": [{"kind": "Deployment", "name": name} for name in names]}, kind="Scaler")

    [problem] = found(rollout("lms-worker")).output.problems
    assert problem.field == "spec.refs[0]"
    assert "names Deployment lms-worker and not lms-worker-high, lms-worker-high-mem" in problem.message
    [problem] = found(rollout("lms-worker", "lms-worker-high")).output.problems
    assert "names Deployment lms-worker and not lms-worker-high-mem" in problem.message
    assert not found(rollout("lms-worker", "lms-worker-high", "lms-worker-high-mem")).output.problems
    assert not found(rollout("lms")).output.problems


def test_a_sidecar_of_the_copys_name() -> None:
    """A pod takes each name of a container once, so that the worker keeps its own."""
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["containers"].append({"name": "lms-worker-high", "image": "proxy"})
    result = worked(SPLIT, site(lms_worker=lms))

    def names(deployment: str) -> list[str]:
        return [each["name"] for each in result.get("Deployment", deployment)["spec"]["template"]["spec"]["containers"]]

    assert names("lms-worker-high") == ["lms-worker", "lms-worker-high"]
    assert names("lms-worker-high-mem") == ["lms-worker-high-mem", "lms-worker-high"]


def test_pods_that_are_placed_by_where_the_worker_is() -> None:
    def redis(*names: str) -> dict[str, Any]:
        term = {"labelSelector": {"matchExpressions": [{"key": NAME, "operator": "In", "values": [*names]}]}}
        affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        template = {
            "metadata": {"labels": {NAME: "redis"}},
            "spec": {"containers": [{"name": "r"}], "affinity": affinity},
        }
        metadata = {"name": "redis", "namespace": "openedx"}
        spec = {"selector": {"matchLabels": {NAME: "redis"}}, "template": template}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    [warning] = found(redis("lms-worker")).warnings
    place = (
        "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector"
    )
    assert f"Deployment redis in namespace openedx: {place}: selects the pods of lms-worker and not" in warning
    assert not found(redis("lms-worker", "lms-worker-high", "lms-worker-high-mem")).warnings
    assert not found(redis("lms")).warnings


def test_a_policy_of_kyvernos_names_deployments() -> None:
    def rule(*names: str, kind: str = "Deployment") -> dict[str, Any]:
        return policy({"rules": [{"match": {"any": [{"resources": {"kinds": [kind], "names": [*names]}}]}}]})

    [warning] = found(rule("lms-worker")).warnings
    assert "spec.rules[0].match.any[0].resources.names: names Deployment lms-worker and not lms-worker-high" in warning
    assert not found(rule("lms-worker", "lms-worker-high", "lms-worker-high-mem")).warnings
    assert not found(rule("lms-worker", kind="Service")).warnings


def test_a_large_file_of_settings_is_not_searched_for_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = set()
    mentions = Resource.mentions

    def noted(resource: Resource, word: str) -> bool:
        searched.add(resource.name)
        return mentions(resource, word)

    monkeypatch.setattr(Resource, "mentions", noted)
    found({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": {"a": "lms-worker"}})
    assert "lms-worker" in searched
    assert "large" not in searched
