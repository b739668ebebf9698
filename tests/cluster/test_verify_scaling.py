"""KEDA's own word on a ScaledObject against the build's, where a cluster can't easily be brought to say it."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.verify import Verified
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


def test_a_list_of_a_priority_that_nothing_counts() -> None:
    lists = ["a", "a\x06\x163"]
    triggers = [
        {"type": "redis", "name": f"queued{number}", "metadata": {"listName": name}}
        for number, name in enumerate(lists)
    ]
    in_force = {"prefix": "", "keys": ["unacked"], "queues": ["a"], "lists": lists, "database": 0}
    for count, found in ((2, []), (1, ["it consumes a\\x06\\x163, too"])):
        spec = {"scaleTargetRef": {"name": "lms-worker"}, "triggers": triggers[:count]}
        tree: dict[str, Any] = {"kind": "ScaledObject", "metadata": {"name": "a"}, "spec": spec}
        ready = {"conditions": [{"type": "Ready", "status": "True"}], "hpaName": "hpa"}
        cluster = Cluster(scaled_objects={"a": {**tree, "status": ready}}, autoscalers=frozenset({"hpa"}))
        worker = Verified(worker="lms-worker", pod="p", in_force=in_force)
        result = scaled(Resource.new(tree, indent=0), cluster, Kubectl(path="kubectl"), {}, worker)
        assert [difference.in_force for difference in result.differences] == found
