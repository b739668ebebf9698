"""scaled-down: nothing runs, or nothing may run."""

from __future__ import annotations

import pytest

from tests.diff.rules.two_builds import changed, found, problems
from tests.rules.small_site import deployment, hpa, scaled_object, service, split_site, trigger, worker

GUARDED = [trigger("edx.lms.core.high"), trigger("unacked", name="inflight")]


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        (worker("lms-worker-high", "edx.lms.core.high"), "error"),
        (service("lms"), "error"),
        (deployment("notes", {}), "warning"),
        (deployment("mysql", {}).replace('"Deployment"', '"StatefulSet"'), "warning"),
    ],
)
def test_no_replicas(before: str, severity: str) -> None:
    (problem,) = problems("scaled-down", [before], [changed(before, spec__replicas=0)])
    assert (problem.severity, problem.field) == (severity, "spec.replicas")


def test_it_had_none_before() -> None:
    before = changed(service("lms"), spec__replicas=0)
    assert found("scaled-down", [before], [changed(before, metadata__labels={"a": "b"})]) == []


@pytest.mark.parametrize("after", [{"minReplicaCount": 0}, {}, {"minReplicaCount": 2, "idleReplicaCount": 0}])
def test_a_minimum_that_goes_to_zero(after: dict[str, int]) -> None:
    objects = [
        [*split_site(), scaled_object("lms-worker-high", triggers=GUARDED, **spec)]
        for spec in ({"minReplicaCount": 2}, after)
    ]
    assert found("scaled-down", *objects) == [("warning", "lms-worker-high-scaledobject")]


@pytest.mark.parametrize("minimum", [0, 2])
def test_a_minimum_that_stays(minimum: int) -> None:
    before, after = (scaled_object("a", minReplicaCount=minimum, maxReplicaCount=most) for most in (3, 4))
    assert found("scaled-down", [before], [after]) == []


def test_a_minimum_that_is_lower() -> None:
    before, after = (scaled_object("a", minReplicaCount=number) for number in (3, 2))
    assert found("scaled-down", [before], [after]) == [("info", "a-scaledobject")]
    assert found("scaled-down", [after], [before]) == []


def test_a_minimum_that_leaves_an_autoscaler() -> None:
    before = changed(hpa("lms"), spec__minReplicas=3)
    assert found("scaled-down", [before], [hpa("lms")]) == [("info", "lms")]
    assert found("scaled-down", [before], [changed(before, spec__minReplicas=2)]) == []
    assert found("scaled-down", [changed(before, spec__minReplicas=1)], [hpa("lms")]) == []


def test_a_new_autoscaler_that_goes_to_zero() -> None:
    scaler = scaled_object("lms-worker-high", triggers=GUARDED)
    assert found("scaled-down", split_site(), [*split_site(), scaler]) == [("info", "lms-worker-high-scaledobject")]
    new = scaled_object("lms-worker-new", triggers=GUARDED)
    worker_of_its_own = worker("lms-worker-new", "edx.lms.core.new")
    assert found("scaled-down", split_site(), [*split_site(), worker_of_its_own, new]) == []
    one = scaled_object("lms-worker-high", triggers=GUARDED, minReplicaCount=1)
    assert found("scaled-down", split_site(), [*split_site(), one]) == []


def test_no_replicas_where_keda_scales_it() -> None:
    before = worker("lms-worker-high", "edx.lms.core.high")
    scaler = scaled_object("lms-worker-high", triggers=GUARDED, minReplicaCount=1)
    assert found("scaled-down", [before, scaler], [changed(before, spec__replicas=0), scaler]) == []
