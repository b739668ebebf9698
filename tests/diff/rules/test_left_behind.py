"""left-behind: autoscalers that nobody deletes."""

from __future__ import annotations

from tests.diff.rules.two_builds import changed, found, problems
from tests.rules.small_site import hpa, scaled_object, split_site

TRANSFER = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}


def test_an_autoscaler_that_leaves_the_build() -> None:
    (problem,) = problems("left-behind", [*split_site(), hpa("lms-worker")], split_site())
    assert problem.severity == "warning"
    assert "kubectl delete horizontalpodautoscaler lms-worker --namespace=openedx" in problem.remedy


def test_one_that_takes_an_autoscaler_of_the_new_build_with_it() -> None:
    """By its name, given or KEDA's own."""
    advanced = {"horizontalPodAutoscalerConfig": {"name": "lms-worker"}}
    named = scaled_object("lms-worker", minReplicaCount=1, advanced=advanced)
    (problem,) = problems("left-behind", [*split_site(), named], [*split_site(), hpa("lms-worker")])
    assert "before this is applied: it takes HorizontalPodAutoscaler lms-worker with it" in problem.remedy
    other = scaled_object("lms-worker", minReplicaCount=1)
    (problem,) = problems("left-behind", [*split_site(), other], [*split_site(), hpa("lms-worker")])
    assert problem.remedy.endswith("--namespace=openedx`")


def test_one_in_the_way_of_kedas() -> None:
    after = [*split_site(), scaled_object("lms-worker", minReplicaCount=1)]
    assert found("left-behind", [*split_site(), hpa("lms-worker")], after) == [("error", "lms-worker")]


def test_one_that_kedas_takes_over() -> None:
    advanced = {"horizontalPodAutoscalerConfig": {"name": "lms-worker"}}
    scaler = changed(scaled_object("lms-worker", minReplicaCount=1, advanced=advanced), metadata__annotations=TRANSFER)
    assert found("left-behind", [*split_site(), hpa("lms-worker")], [*split_site(), scaler]) == []


def test_one_that_is_in_nobodys_way() -> None:
    for other in (
        scaled_object("cms-worker", minReplicaCount=1),
        scaled_object("lms-worker", minReplicaCount=1, namespace="other"),
    ):
        after = [*split_site(), other]
        assert found("left-behind", [*split_site(), hpa("lms-worker")], after) == [("warning", "lms-worker")]


def test_half_a_takeover_is_none() -> None:
    advanced = {"horizontalPodAutoscalerConfig": {"name": "lms-worker"}}
    for scaler in (
        scaled_object("lms-worker", minReplicaCount=1, advanced=advanced),
        changed(scaled_object("lms-worker", minReplicaCount=1), metadata__annotations=TRANSFER),
    ):
        after = [*split_site(), scaler]
        assert found("left-behind", [*split_site(), hpa("lms-worker")], after) == [("error", "lms-worker")]


def test_one_that_goes_with_its_target() -> None:
    assert found("left-behind", [*split_site(), hpa("lms-worker")], split_site(lms_worker="")) == []
