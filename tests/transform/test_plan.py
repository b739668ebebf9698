"""Who consumes what after the split, beyond what golden cases show."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.config.load import load
from kustomizer.errors import UserError
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.transform.model import ServicePlan
from kustomizer.transform.plan import plan
from tests import keda_site


def worker(name: str, *queues: str, grace: int | None = None) -> Resource:
    """Return a Deployment that runs a Celery worker."""
    args = ["celery", "--app=lms.celery", "worker", *([f"--queues={','.join(queues)}"] if queues else [])]
    pod: dict[str, Any] = {"containers": [{"name": name, "args": args}]}
    if grace is not None:
        pod["terminationGracePeriodSeconds"] = grace
    metadata = {"name": name, "namespace": "openedx"}
    tree = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    return Resource.new(tree, indent=0)


LMS = worker("lms-worker", "edx.lms.core.default", "edx.lms.core.high")
CMS = worker("cms-worker", "edx.cms.core.default", "edx.cms.core.low")


def planned(spec: dict[str, Any], *resources: Resource) -> tuple[list[ServicePlan], str]:
    """Return the plans, and what is said about them."""
    document = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers", "spec": spec}
    plans, notes = plan(Resources(resources), load(document))
    return plans, "\n".join(map(str, notes))


def queues(plans: list[ServicePlan]) -> dict[str, tuple[str, ...]]:
    return {variant.deployment: variant.queues for each in plans for variant in each.variants}


def test_default_comes_first_wherever_it_is_named() -> None:
    plans, said = planned({"workers": {"lms": {"high": {}, "default": {}}}}, LMS)

    assert [variant.name for variant in plans[0].variants] == ["default", "high"]
    assert (plans[0].service, said) == ("lms", "")


def test_nothing_configured_is_nothing_planned() -> None:
    assert planned({}, LMS, CMS) == ([], "")


def test_unassigned_queues_are_kept_behind_the_default_workers_own() -> None:
    site = worker("lms-worker", "extra", "edx.lms.core.high", "edx.lms.core.default", "more")
    plans, said = planned({"unassignedQueues": "KeepOnDefault", "workers": {"lms": {"high": {}}}}, site)

    assert queues(plans)["lms-worker"] == ("edx.lms.core.default", "extra", "more")
    assert said == ""


def test_a_blank_in_a_queues_name_can_be_seen() -> None:
    """Celery takes what stands between two commas; to an empty name nobody sends."""
    site = worker("lms-worker", "edx.lms.core.default", " edx.lms.core.high", "")
    _, said = planned({"unassignedQueues": "Ignore", "workers": {"lms": {"high": {}}}}, site)
    assert "no worker would consume ' edx.lms.core.high': tasks" in said


def test_a_queue_that_another_worker_of_the_build_consumes_is_not_left_alone() -> None:
    """A plugin's own worker, say, or one that the configuration gives to another service."""
    spec: dict[str, Any] = {"workers": {"lms": {"default": {}}}}
    with pytest.raises(UserError, match=r"no worker would consume edx[.]lms[.]core[.]high:"):
        planned(spec, LMS, CMS)
    assert queues(planned(spec, LMS, worker("plugin", "edx.lms.core.high"))[0]) == {
        "lms-worker": ("edx.lms.core.default",)
    }
    tree = worker("lms", "edx.lms.core.high").tree
    sidecar = {**tree["spec"]["template"]["spec"]["containers"][0], "restartPolicy": "Always"}
    tree["spec"]["template"]["spec"] |= {"containers": [{"name": "lms"}], "initContainers": [sidecar]}
    assert queues(planned(spec, LMS, Resource.new(tree, indent=0))[0]) == {"lms-worker": ("edx.lms.core.default",)}
    spec["workers"]["cms"] = {"low": {"queues": ["edx.cms.core.low", "edx.lms.core.high"]}}
    assert "edx.lms.core.high" in queues(planned(spec, LMS, CMS)[0])["cms-worker-low"]


def test_a_queue_that_is_left_to_a_worker_without_pods() -> None:
    spec: dict[str, Any] = {"workers": {"lms": {"default": {}}}}
    plugin = worker("plugin", "edx.lms.core.high")
    plugin.tree["spec"]["replicas"] = 0
    _, said = planned(spec, LMS, plugin)
    assert "Deployment plugin in namespace openedx: spec.replicas: gives it 0 pods: Deployment plugin in" in said
    assert "alone takes edx.lms.core.high after the split, and tasks there wait for ever. Take it out, or" in said
    for others in ([plugin, worker("second", "edx.lms.core.high")], [worker("second", "edx.lms.core.high"), plugin]):
        assert planned(spec, LMS, *others)[1] == ""
    assert planned({"workers": {"lms": {"high": {}}}}, LMS, plugin)[1].count("wait for ever") == 0
    plans, said = planned({**spec, "unassignedQueues": "KeepOnDefault"}, LMS, plugin)
    assert "edx.lms.core.high" in plans[0].variants[0].queues
    assert said == ""


def test_a_split_worker_without_pods() -> None:
    """Copies have the number that Tutor's worker has, unless they state their own."""
    none = worker("lms-worker", "edx.lms.core.default", "edx.lms.core.high")
    none.tree["spec"]["replicas"] = 0
    workers = {"lms": {"high": {}, "low": {"replicas": 2}, "scaled": {"keda": {"enabled": True}}}}
    _, said = planned({"workers": workers}, none)
    assert "spec.replicas: gives it 0 pods: tasks on the queues of lms-worker, lms-worker-high wait for ever" in said
    assert planned({"defaults": {"replicas": 1}, "workers": {"lms": {"high": {}}}}, none)[1] == ""


def test_a_split_worker_that_somebody_elses_scaled_object_stops() -> None:
    scaler = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {
            "name": "a",
            "namespace": "openedx",
            "annotations": {"autoscaling.keda.sh/paused-replicas": "0"},
        },
        "spec": {"scaleTargetRef": {"name": "lms-worker"}},
    }
    _, said = planned({"workers": {"lms": {"high": {}}}}, LMS, Resource.new(scaler, indent=0))
    assert "has KEDA keep it at 0 pods: tasks on the queues of lms-worker wait for ever" in said


def recurring(kind: str, *queues: str) -> Resource:
    """Return a worker that a CronJob or a ScaledJob starts."""
    template = worker("night", *queues).tree["spec"]["template"]
    spec = (
        {"jobTemplate": {"spec": {"template": template}}}
        if kind == "CronJob"
        else {"jobTargetRef": {"template": template}}
    )
    metadata = {"name": "night", "namespace": "openedx"}
    return Resource.new({"apiVersion": "x/v1", "kind": kind, "metadata": metadata, "spec": spec}, indent=0)


@pytest.mark.parametrize("kind", ["CronJob", "ScaledJob"])
def test_a_worker_that_comes_again_and_again_takes_its_queues(kind: str) -> None:
    spec: dict[str, Any] = {"workers": {"lms": {"high": {}}}, "routing": {"lms": {"a.b": {"queue": "night"}}}}
    assert planned(spec, LMS, recurring(kind, "night"))[1] == ""
    with pytest.raises(UserError, match="no worker of this build consumes night"):
        planned(spec, LMS, recurring(kind, "day"))
    suspended = recurring(kind, "edx.lms.core.high")
    suspended.tree["spec"]["suspend"] = True
    assert "spec.suspend: has it start nothing: " in planned({"workers": {"lms": {"default": {}}}}, LMS, suspended)[1]


def test_a_worker_whose_queues_nobody_knows_takes_none_for_certain() -> None:
    """It would be a default that is taken for the truth."""
    unseen = worker("lms-worker-extra")
    unseen.tree["spec"]["template"]["spec"]["containers"][0] |= {
        "args": ["celery", "--app=lms.celery", "worker", "$(OPTIONS)"],
        "env": [{"name": "SERVICE_VARIANT", "value": "lms"}],
    }
    with pytest.raises(UserError, match=r"no worker would consume edx[.]lms[.]core[.]high:"):
        planned({"workers": {"lms": {"default": {}}}}, LMS, unseen)


def test_a_copy_of_an_earlier_run_is_not_another_worker() -> None:
    """What the configuration no longer gives it, it will not consume."""
    spec: dict[str, Any] = {"workers": {"lms": {"high": {"queues": ["other"]}}}}
    with pytest.raises(UserError, match=r"no worker would consume edx[.]lms[.]core[.]high:"):
        planned(spec, LMS, worker("lms-worker-high", "edx.lms.core.high"))


def test_grace_periods() -> None:
    spec = {"workers": {"lms": {"high": {}, "high_mem": {}}, "superset": {"default": {"queues": ["a"]}}}}
    superset = worker("superset-worker")
    seconds = {}
    for emitted in (None, 300, 1200, 9000):
        plans, _ = planned(spec, worker("lms-worker", "edx.lms.core.default", grace=emitted), superset)
        variants = [variant for each in plans for variant in each.variants]
        seconds[emitted] = [variant.settings.termination_grace_period_seconds for variant in variants]

    # The default worker, high, high_mem, and another application's.
    assert seconds == {
        None: [600, 600, 3600, None],
        300: [600, 600, 3600, None],
        1200: [1200, 1200, 3600, None],
        9000: [9000, 9000, 9000, None],
    }


def test_grace_period_of_a_copy_is_its_own() -> None:
    """On the second run Tutor's worker has the grace period that the configuration gave it."""
    spec = {"workers": {"lms": {"default": {"terminationGracePeriodSeconds": 3000}, "high": {}}}}
    site = worker("lms-worker", "edx.lms.core.default", grace=3000)

    plans, _ = planned(spec, site, worker("lms-worker-high", "edx.lms.core.high", grace=600))

    assert plans[0].variants[1].settings.termination_grace_period_seconds == 600


def test_queue_that_two_split_services_consume() -> None:
    workers = {
        "lms": {"high": {"queues": ["edx.lms.core.high", "both"]}},
        "cms": {"low": {}, "both": {"queues": ["both"]}},
    }
    _, said = planned({"workers": workers}, LMS, CMS)

    assert said == (
        "CeleryWorkers: spec.workers.cms.both.queues: Deployment lms-worker-high consumes both, too: chance decides "
        "which of the two gets a task. Leave the queue to the workers of one service"
    )


def test_routes_are_checked_only_where_all_workers_are_known() -> None:
    spec = {
        "workers": {"lms": {"high": {}}, "forum": {"default": {"queues": ["forum"]}}},
        "routing": {"lms": {"a.task": {"queue": "forum"}}},
    }
    with pytest.raises(UserError) as caught:
        planned(spec, LMS)

    assert [problem.field for problem in caught.value.problems] == ["spec.workers.forum"]


# Timeouts


def timeouts(spec: dict[str, Any], *resources: Resource) -> tuple[str, str]:
    """Return the errors and the warnings of a site of lms and cms."""
    document = {"workers": {"lms": {"high": {}}, "cms": {"low": {}}}, **spec}
    try:
        return "", planned(document, LMS, CMS, *resources)[1]
    except UserError as error:
        return str(error), ""


def test_one_timeout_for_both_default_workers() -> None:
    assert timeouts({"defaults": {"visibilityTimeout": 7200}}) == ("", "")
    assert timeouts({"celery": {"visibilityTimeout": 7200}}) == ("", "")
    own = {"default": {"visibilityTimeout": 7200}}
    assert timeouts({"workers": {"lms": {**own, "high": {}}, "cms": {**own, "low": {}}}}) == ("", "")


def test_celerys_own_timeout_may_be_named() -> None:
    workers = {"lms": {"default": {"visibilityTimeout": 3600}, "high": {}}, "cms": {"low": {}}}
    assert timeouts({"workers": workers}) == ("", "")


def test_copies_may_have_any_timeout() -> None:
    workers = {"lms": {"high": {"visibilityTimeout": 60000}}, "cms": {"low": {"visibilityTimeout": 1200}}}
    assert timeouts({"workers": workers}) == ("", "")


@pytest.mark.parametrize(("field", "spec"), [
    ("spec.defaults.visibilityTimeout", {"defaults": {"visibilityTimeout": 7200}}),
    ("spec.celery.visibilityTimeout", {"celery": {"visibilityTimeout": 7200}}),
])  # fmt: skip
def test_service_that_is_not_split_has_celerys_timeout(field: str, spec: dict[str, Any]) -> None:
    errors, warnings = timeouts({"workers": {"cms": {"low": {}}}, **spec})

    assert errors == ""
    assert warnings.startswith(
        f"CeleryWorkers: {field}: the default worker shares Celery's in-flight key with that of "
    )
    assert "lms, which isn't split; of 7200 s and 3600 s the shorter counts" in warnings


def test_null_takes_a_timeout_back() -> None:
    workers = {"lms": {"default": {"visibilityTimeout": None}, "high": {}}, "cms": {"low": {}}}
    errors, _ = timeouts({"defaults": {"visibilityTimeout": 7200}, "workers": workers})

    assert errors.startswith("CeleryWorkers: spec.defaults.visibilityTimeout: the default worker shares")
    assert "that of lms; of 7200 s and 3600 s" in errors


def test_grace_period_up_to_the_timeout_is_fine() -> None:
    spec = {"defaults": {"terminationGracePeriodSeconds": 3600, "protectFromEviction": True}}
    assert timeouts(spec) == ("", "")
    spec["defaults"]["terminationGracePeriodSeconds"] = 3601
    assert timeouts(spec)[1].count("is run twice") == 4


def test_grace_period_that_a_plugin_gave_is_looked_at() -> None:
    site = worker("lms-worker", "edx.lms.core.default", grace=7200)
    spec = {"workers": {"lms": {"default": {"terminationGracePeriodSeconds": None, "protectFromEviction": True}}}}

    assert "pods of lms-worker get 7200 s to finish a task" in planned(spec, site)[1]


def test_times_of_another_application_are_not_ours_to_judge() -> None:
    spec = {"workers": {"superset": {"default": {"queues": ["a"], "terminationGracePeriodSeconds": 9000}}}}

    assert planned(spec, worker("superset-worker"))[1] == ""


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"requests": {"memory": "2G"}, "limits": {"memory": "1Gi"}}, "requests.memory: 2G is more than limits.memory"),
        ({"requests": {"memory": "1G", "cpu": None}, "limits": {"memory": "1Gi", "cpu": 1}}, ""),
        ({"requests": {"cpu": 0.5}, "limits": {"cpu": "100m"}}, "requests.cpu: 0.5 is more than limits.cpu, 100m"),
        (None, ""),
    ],
)
def test_requests_above_limits_that_a_plugin_wrote(resources: dict[str, Any] | None, expected: str) -> None:
    given = keda_site.worker("lms", keda_site.LMS_VARIANTS)
    given["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    spec = "{%s workers: {lms: {high: {}, high_mem: {}}}}"
    errors = keda_site.built(spec % "", keda_site.site(lms_worker=given)).errors
    assert [expected in error for error in errors] == [True] * bool(expected)
    own = "defaults: {resources: {requests: {memory: 1G, cpu: 1}, limits: {memory: 1G, cpu: 1}}},"
    assert not keda_site.built(spec % own, keda_site.site(lms_worker=given)).errors
