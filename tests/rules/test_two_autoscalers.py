"""two-autoscalers: one Deployment, two that scale it."""

from __future__ import annotations

from tests.rules.small_site import finder, hpa, problems, scaled_object, worker

found = finder("two-autoscalers")


def test_one_autoscaler_each() -> None:
    assert found(worker("lms-worker"), hpa("lms-worker"), scaled_object("cms-worker")) == []


def test_an_hpa_beside_a_scaled_object() -> None:
    (problem,) = problems("two-autoscalers", worker("lms-worker"), hpa("lms-worker"), scaled_object("lms-worker"))
    assert problem.severity == "error"
    assert "HorizontalPodAutoscaler lms-worker scales, too" in problem.message
    assert "keda.replaceHPA: true" in problem.remedy


def test_the_same_name_in_another_namespace_is_another_deployment() -> None:
    assert found(hpa("lms-worker"), scaled_object("lms-worker", namespace="other")) == []
