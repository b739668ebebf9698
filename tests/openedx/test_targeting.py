"""What targets a worker, and which autoscaler scales which Deployment."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.resource import Resource, Resources
from kustomizer.openedx.targeting import KINDS, autoscalers_by_target, monitor_reaches, targeting

WORKER = Resource.new({"kind": "Deployment", "metadata": {"name": "lms-worker", "namespace": "openedx"}}, indent=0)


def made(kind: str, name: str, spec: Any, namespace: str = "openedx") -> Resource:
    return Resource.new({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}, indent=0)


def test_only_what_is_in_the_namespace_and_of_these_kinds_is_looked_at() -> None:
    spec = {"selector": {"app.kubernetes.io/name": "lms-worker"}}
    there = [made(kind, "a", spec) for kind in (*KINDS, "ConfigMap", "Job")]
    elsewhere = made("Service", "a", spec, "other")

    assert targeting(Resources([*there, elsewhere]), WORKER) == there[: len(KINDS)]


@pytest.mark.parametrize(
    ("spec", "namespace", "reached"),
    [
        ({"namespaceSelector": {"matchNames": ["openedx"]}}, "openedx", True),
        ({"namespaceSelector": {"matchNames": ["openedx"]}}, "", True),
        ({"namespaceSelector": {"matchNames": ["other"]}}, "openedx", False),
        ({"namespaceSelector": {"matchNames": []}}, "monitoring", True),
        ({"namespaceSelector": None}, "openedx", False),
        ({"namespaceSelector": {"any": True}}, "openedx", True),
    ],
)
def test_where_a_pod_monitor_looks(spec: Any, namespace: str, *, reached: bool) -> None:
    assert monitor_reaches(made("PodMonitor", "a", spec, "monitoring"), namespace) == reached


def scaler(kind: str, name: str, reference: Any, namespace: str = "openedx") -> Resource:
    return made(kind, name, {"scaleTargetRef": reference}, namespace)


def test_autoscalers_are_found_by_the_deployment_that_they_scale() -> None:
    hpa = scaler("HorizontalPodAutoscaler", "a", {"kind": "Deployment", "name": "lms-worker"})
    scaled_object = scaler("ScaledObject", "b", {"name": "lms-worker-high"})
    second = scaler("ScaledObject", "c", {"kind": "Deployment", "name": "lms-worker-high"})
    others = [
        scaler("HorizontalPodAutoscaler", "d", {"kind": "StatefulSet", "name": "lms-worker"}),
        scaler("HorizontalPodAutoscaler", "e", {"kind": "Deployment", "name": "lms-worker"}, "other"),
        scaler("ScaledObject", "f", {}),
        made("VerticalPodAutoscaler", "g", {"targetRef": {"kind": "Deployment", "name": "lms-worker"}}),
    ]

    by_target = autoscalers_by_target(Resources([*others, hpa, scaled_object, second]), WORKER)

    assert by_target == {"lms-worker": [hpa], "lms-worker-high": [scaled_object, second]}
