"""refused-pods: what a LimitRange and a ResourceQuota of the build refuse to a worker's pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import problems, resource, scaled_object, split_site, worker

WORKER = "edx.lms.core.default"


def limit_range(**limits: Any) -> str:
    return resource("LimitRange", "range", spec={"limits": [{"type": "Container", **limits}]})


def quota(hard: Any, **spec: Any) -> str:
    return resource("ResourceQuota", "quota", spec={"hard": hard, **spec})


def said(*documents: str, resources: Any = None, pod: Any = None) -> list[tuple[str, str]]:
    lms = worker("lms-worker", WORKER, container={"resources": resources}, pod=pod or {})
    return [(each.severity, each.message) for each in problems("refused-pods", lms, *documents)]


def refused(*documents: str, resources: Any = None, **more: Any) -> list[str]:
    """Return what is refused, without what is only said."""
    return [message for severity, message in said(*documents, resources=resources, **more) if severity == "error"]


BIG = {"requests": {"memory": "2Gi"}, "limits": {"memory": "4Gi"}}


@pytest.mark.parametrize(
    ("limits", "resources", "expected"),
    [
        ({}, BIG, ""),
        ({"max": {"memory": "4096Mi"}, "min": {"memory": "2Gi"}, "maxLimitRequestRatio": {"memory": 2}}, BIG, ""),
        ({"max": {"memory": "3Gi"}}, BIG, "limits.memory, 4Gi, is above the max of 3Gi"),
        ({"min": {"memory": "3Gi"}}, BIG, "requests.memory, 2Gi, is below the min of 3Gi"),
        ({"min": {"memory": "2Gi"}}, {"limits": {"memory": "1Gi"}}, "requests.memory, 1Gi, is below the min of 2Gi"),
        ({"min": {"cpu": 1}}, BIG, ""),
        ({"max": {"cpu": 1}}, BIG, ""),
        (
            {"maxLimitRequestRatio": {"memory": "1.5"}},
            BIG,
            "limits.memory, 4Gi, is more than 1.5 times the request of 2Gi (maxLimitRequestRatio)",
        ),
        (
            {"maxLimitRequestRatio": {"memory": 2}},
            {"requests": {"memory": "2Gi"}},
            "memory has no request and limit beside the maxLimitRequestRatio of 2",
        ),
        ({"maxLimitRequestRatio": {"memory": 2}}, {"limits": {"memory": "2Gi"}}, ""),
        # As an API server with 1.34 says of such a pod: must be less than or equal to memory limit.
        (
            {"default": {"memory": "512Mi"}},
            {"requests": {"memory": "2Gi"}},
            "requests.memory, 2Gi, is above the limit of 512Mi that LimitRange range in namespace openedx gives it",
        ),
        ({"default": {"memory": "2Gi"}}, {"requests": {"memory": "2Gi"}}, ""),
        ({"default": {"memory": "1Gi"}, "defaultRequest": {"memory": "512Mi"}}, None, ""),
        ({"max": {"memory": "odd"}, "min": None, "default": 3}, BIG, ""),
    ],
)
def test_containers(limits: dict[str, Any], resources: Any, expected: str) -> None:
    found = refused(limit_range(**limits), resources=resources)
    assert len(found) == bool(expected)
    assert all(message.startswith(expected) and message.endswith(": its pods are refused") for message in found)


def test_a_limit_that_it_gives_is_said() -> None:
    given = limit_range(default={"memory": "1Gi", "cpu": "1"})
    expected = "gets limits.cpu of 1 and limits.memory of 1Gi from LimitRange range in namespace openedx"
    assert said(given) == [("info", expected)]
    assert said(given, resources={"limits": {"memory": "1Gi", "cpu": 2}}) == []
    assert said(given.replace("openedx", "elsewhere")) == []


def test_whole_pods_and_what_starts_before() -> None:
    """An init container's is counted where it is the most; a sidecar's is added."""
    init = {"name": "i", "image": "i", "resources": {"limits": {"memory": "6Gi"}}}
    limit = resource("LimitRange", "range", spec={"limits": [{"type": "Pod", "max": {"memory": "5Gi"}}]})
    assert refused(limit, resources=BIG) == []
    (message,) = refused(limit, resources=BIG, pod={"initContainers": [init, {**init, "resources": None}]})
    assert message.startswith("the pod's limits.memory, 6144Mi, is above the max of 5Gi")
    small = {**init, "restartPolicy": "Always", "resources": {"limits": {"memory": "1500Mi"}}}
    (message,) = refused(limit, resources=BIG, pod={"initContainers": [small]})
    assert message.startswith("the pod's limits.memory, 5596Mi, is above")
    (message,) = refused(limit)
    assert message.startswith("the pod's limits.memory is missing beside the max of 5Gi")
    assert refused(limit, pod={"resources": BIG}) == []


@pytest.mark.parametrize(
    ("hard", "resources", "expected"),
    [
        ({"limits.memory": "40Gi"}, BIG, ""),
        ({"limits.memory": "40Gi"}, {"requests": BIG["requests"]}, "limits.memory"),
        ({"requests.memory": "40Gi"}, {"limits": {"memory": "1Gi"}}, ""),
        ({"memory": "40Gi"}, None, "requests.memory"),
        ({"cpu": "4"}, BIG, "requests.cpu"),
        # Of others it only adds up what is stated.
        ({"requests.ephemeral-storage": "4Gi", "count/secrets": "1", "pods": 9}, None, ""),
    ],
)
def test_a_quota_on_what_is_not_stated(hard: dict[str, Any], resources: Any, expected: str) -> None:
    (key,) = [*hard][:1]
    found = refused(quota(hard), resources=resources)
    refuses = "and ResourceQuota quota in namespace openedx refuses pods without"
    assert found == ([f"{expected} is missing, {refuses} ({key})"] if expected else [])
    assert refused(quota(hard), limit_range(default={"memory": "4Gi", "cpu": 1}), resources=BIG) == []
    assert refused(quota(hard, scopes=["Terminating"]), resources=resources) == []
    assert refused(quota(hard, scopeSelector={"matchExpressions": []}), resources=resources) == []


def test_the_most_pods() -> None:
    lms_worker = worker("lms-worker", WORKER, container={"resources": BIG})
    scaled = scaled_object("lms-worker", maxReplicaCount=10)
    site = [*split_site(lms_worker=lms_worker), scaled]
    (problem,) = problems("refused-pods", *site, quota({"pods": 16, "limits.nvidia.com/gpu": 0, "secrets": 0}))
    assert (problem.severity, problem.field) == ("warning", 'spec.hard["pods"]')
    # lms, cms, and five other workers of a pod each.
    assert (
        "need 17 of pods, and it takes 16: the last ones aren't made. Workers with the most: lms-worker (10 pods)"
        in problem.message
    )
    assert problems("refused-pods", *site, quota({"count/pods": "17"})) == []
    (problem,) = [
        each for each in problems("refused-pods", *site, quota({"limits.memory": "39Gi"})) if each.severity == "warning"
    ]
    assert "need 40960Mi of limits.memory, and it takes 39Gi" in problem.message


@pytest.mark.parametrize(
    "spec", [None, [], {"hard": []}, {"hard": {"pods": "many"}}, {"hard": {"pods": 0}, "scopes": "x"}]
)
def test_odd_values(spec: Any) -> None:
    assert said(resource("ResourceQuota", "quota", spec=spec)) == []
    assert said(resource("LimitRange", "range", spec=spec)) == []
    assert said(resource("LimitRange", "range", spec={"limits": [None, spec]})) == []
