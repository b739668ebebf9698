"""KEDA's own word on a ScaledObject against the build's, where a cluster can't easily be brought to say it."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.verify_scaling import Cluster, scaled
from kustomizer.manifests.resource import Resource

PAUSED = {"autoscaling.keda.sh/paused": "true"}


@pytest.mark.parametrize(
    ("annotations", "status", "found"),
    [
        ({}, "False", []),
        ({}, "Unknown", []),
        ({}, "True", ["condition Paused"]),
        (PAUSED, "True", []),
        ({"autoscaling.keda.sh/paused-replicas": "0"}, "True", []),
        (PAUSED, "False", ["condition Paused"]),
        ({"autoscaling.keda.sh/paused": "false"}, "True", ["condition Paused"]),
    ],
)
def test_a_worker_is_paused_where_the_build_says_so(annotations: dict[str, str], status: str, found: list[str]) -> None:
    tree: dict[str, Any] = {
        "kind": "ScaledObject",
        "metadata": {"name": "a", "annotations": annotations},
        "spec": {"scaleTargetRef": {"name": "lms-worker"}, "minReplicaCount": 0, "maxReplicaCount": 1},
    }
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Paused", "status": status}]
    live = {**tree, "status": {"conditions": conditions, "hpaName": "hpa"}}
    cluster = Cluster(scaled_objects={"a": live}, autoscalers=frozenset({"hpa"}))
    result = scaled(Resource.new(tree, indent=0), cluster, Kubectl(path="kubectl"), {}, None)
    assert [difference.what for difference in result.differences] == found
