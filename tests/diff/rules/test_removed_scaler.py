"""removed-scaler: what may be left with no pods."""

from __future__ import annotations

import pytest

from tests.diff.rules.two_builds import changed, found
from tests.rules.small_site import hpa, scaled_object, split_site, worker

TARGET = "lms-worker-high"
RESTORES = {"restoreToOriginalReplicaCount": True}


def test_one_that_went_to_zero() -> None:
    before = [*split_site(), scaled_object(TARGET)]
    assert found("removed-scaler", before, split_site()) == [("error", f"{TARGET}-scaledobject")]
    # It doesn't scale what has no pods.
    assert found("removed-scaler", before, [*split_site(), hpa(TARGET)]) == [("error", f"{TARGET}-scaledobject")]


@pytest.mark.parametrize("spec", [{"minReplicaCount": 1}, {"advanced": RESTORES}, {"idleReplicaCount": 1}])
def test_one_that_leaves_pods(spec: dict[str, object]) -> None:
    assert found("removed-scaler", [*split_site(), scaled_object(TARGET, **spec)], split_site()) == []


def test_another_one_that_scales_it() -> None:
    other = changed(scaled_object(TARGET), metadata__name="other")
    assert found("removed-scaler", [*split_site(), scaled_object(TARGET)], [*split_site(), other]) == []


def test_one_that_scales_something_else_from_now_on() -> None:
    before = scaled_object(TARGET)
    after = changed(before, spec__scaleTargetRef__name="cms-worker-low")
    assert found("removed-scaler", [*split_site(), before], [*split_site(), after]) == [
        ("error", f"{TARGET}-scaledobject")
    ]


def test_a_worker_that_goes_as_well_or_states_its_replicas() -> None:
    before = [*split_site(), scaled_object(TARGET)]
    assert found("removed-scaler", before, split_site(lms_worker_high="")) == []
    stated = worker(TARGET, "edx.lms.core.high", replicas=2)
    assert found("removed-scaler", before, split_site(lms_worker_high=stated)) == []
