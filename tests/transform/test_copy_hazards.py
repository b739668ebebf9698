"""What works for Tutor's one worker and not for copies of it is warned of, whatever the kind of the object."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.keda_site import Result, site, worked, worker

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}}"
NAME = "app.kubernetes.io/name"


def found(
    *others: dict[str, Any], pod: dict[str, Any] | None = None, container: dict[str, Any] | None = None
) -> Result:
    """Return the build of a site with these objects, and with this in its worker's pod."""
    lms = worker("lms", ("default", "high", "high_mem"))
    template = lms["spec"]["template"]["spec"]
    template["volumes"] += (pod or {}).pop("volumes", [])
    template |= pod or {}
    template["containers"][0] |= container or {}
    documents = [*yaml.safe_load_all(site().stream), *others]
    documents = [lms if each["metadata"]["name"] == "lms-worker" else each for each in documents]
    return worked(SPLIT, yaml.safe_dump_all(documents, sort_keys=False).encode())


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
                    "matchLabels": {f"any:{NAME}": "lms-worker", "k8s:io.kubernetes.pod.namespace": "x"}
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


def claim(*modes: str) -> dict[str, Any]:
    spec = {"accessModes": list(modes)}
    metadata = {"name": "media", "namespace": "openedx"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("modes", "warned"),
    [
        (["ReadWriteOnce"], "only one node can mount media (ReadWriteOnce): pods of"),
        (
            ["ReadWriteOncePod"],
            "only one pod can mount media (ReadWriteOncePod): pods of lms-worker-high, lms-worker-high-mem stay",
        ),
        (["ReadWriteMany"], ""),
        (["ReadWriteOnce", "ReadOnlyMany"], ""),
    ],
)
def test_a_claim_that_one_node_can_mount(modes: list[str], warned: str) -> None:
    volume = {"name": "media", "persistentVolumeClaim": {"claimName": "media"}}
    warnings = found(claim(*modes), pod={"volumes": [volume]}).warnings
    assert [warned in warning for warning in warnings] == [True] * bool(warned)
    assert all(("affinity" in warning) != ("OncePod" in warning) for warning in warnings)


def test_a_port_of_the_node() -> None:
    [warning] = found(container={"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]}).warnings
    assert "containers[0].ports[1].hostPort: a node has port 8081 once" in warning
    [warning] = found(pod={"hostNetwork": True}).warnings
    assert "share their node's ports" in warning


def test_a_kind_of_another_group_is_not_kubernetes_own() -> None:
    calico = policy({"selector": f"{NAME} == 'lms-worker'"}, kind="NetworkPolicy")
    calico["apiVersion"] = "projectcalico.org/v3"
    [problem] = found(calico).output.problems
    assert problem.field == "spec.selector"
    assert "not those of lms-worker-high, lms-worker-high-mem" in problem.message


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


def test_a_claim_that_is_elsewhere_and_an_address() -> None:
    claim = {"volumes": [{"name": "media", "persistentVolumeClaim": {"claimName": "media"}}]}
    [problem] = found(pod=claim).output.problems
    assert problem.severity == "info"
    assert "whether more than one node can mount media isn't known" in problem.message

    lms = worker("lms", ("default", "high", "high_mem"))
    networks = "k8s.v1.cni.cncf.io/networks"
    given = {"cni.projectcalico.org/ipAddrs": '["10.0.0.5"]', networks: '[{"name": "lan", "ips": ["10.2.0.7/24"]}]'}
    lms["spec"]["template"]["metadata"]["annotations"] = given
    documents = [
        lms if each["metadata"]["name"] == "lms-worker" else each for each in yaml.safe_load_all(site().stream)
    ]
    problem, of_network = worked(SPLIT, yaml.safe_dump_all(documents).encode()).output.problems
    assert networks in of_network.field
    assert problem.field == 'spec.template.metadata.annotations["cni.projectcalico.org/ipAddrs"]'
    assert "asks for an address of its own" in problem.message
    given[networks] = "lan"
    [problem] = worked(SPLIT, yaml.safe_dump_all(documents).encode()).output.problems


def test_a_sidecar_of_the_copys_name() -> None:
    """A pod takes each name of a container once, so that the worker keeps its own."""
    lms = worker("lms", ("default", "high", "high_mem"))
    lms["spec"]["template"]["spec"]["containers"].append({"name": "lms-worker-high", "image": "proxy"})
    documents = [
        lms if each["metadata"]["name"] == "lms-worker" else each for each in yaml.safe_load_all(site().stream)
    ]
    result = worked(SPLIT, yaml.safe_dump_all(documents).encode())

    def names(deployment: str) -> list[str]:
        return [each["name"] for each in result.get("Deployment", deployment)["spec"]["template"]["spec"]["containers"]]

    assert names("lms-worker-high") == ["lms-worker", "lms-worker-high"]
    assert names("lms-worker-high-mem") == ["lms-worker-high-mem", "lms-worker-high"]
