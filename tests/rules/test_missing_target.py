"""missing-target: autoscalers of nothing."""

from __future__ import annotations

from tests.rules.small_site import finder, hpa, problems, scaled_object, worker

found = finder("missing-target")


def test_the_target_is_there() -> None:
    assert found(worker("lms-worker"), scaled_object("lms-worker"), hpa("lms-worker")) == []


def test_the_target_is_not_there() -> None:
    assert found(scaled_object("lms-worker"), hpa("cms-worker")) == [
        ("error", "cms-worker"),
        ("error", "lms-worker-scaledobject"),
    ]


def test_the_target_is_elsewhere() -> None:
    (problem,) = problems("missing-target", worker("lms-worker", namespace="b"), scaled_object("lms-worker"))
    assert problem.message.endswith("there is one in namespace b")


def test_the_target_is_in_no_namespace() -> None:
    homeless = worker("lms-worker", namespace="")
    (problem,) = problems("missing-target", homeless, scaled_object("lms-worker"))
    assert problem.message == (
        "scales Deployment lms-worker, which isn't in namespace openedx of this build; there is one in no namespace"
    )
    assert problem.remedy == "Give both the same namespace"


def test_the_autoscaler_is_in_no_namespace() -> None:
    homeless = scaled_object("lms-worker", namespace="")
    (problem,) = problems("missing-target", worker("lms-worker"), homeless)
    assert problem.message == (
        "scales Deployment lms-worker, which isn't in this build without a namespace; there is one in namespace openedx"
    )
    assert found(worker("lms-worker", namespace=""), homeless) == []


def test_other_kinds_are_not_looked_for() -> None:
    assert found(scaled_object("x", scaleTargetRef={"kind": "Rollout", "name": "x"})) == []
