"""refused-autoscaler: numbers that KEDA or an API server doesn't take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.small_site import finder, hpa, problems, scaled_object, trigger, worker

found = finder("refused-autoscaler")
WORKER = worker("lms-worker", "a")
CPU = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "50"}}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"minReplicaCount": 5, "maxReplicaCount": 2}, "maxReplicaCount"),
        ({"minReplicaCount": 101}, "maxReplicaCount"),
        ({"minReplicaCount": 0, "maxReplicaCount": 0}, "maxReplicaCount"),
        ({"minReplicaCount": 2.0, "maxReplicaCount": 1.0}, "maxReplicaCount"),
        ({"minReplicaCount": 2, "idleReplicaCount": 2}, "idleReplicaCount"),
        ({"idleReplicaCount": 0}, "idleReplicaCount"),
        ({"triggers": []}, "triggers"),
        ({"triggers": None}, "triggers"),
        ({"triggers": [CPU]}, "minReplicaCount"),
        ({"triggers": [CPU], "minReplicaCount": 0}, "minReplicaCount"),
    ],
)
def test_what_keda_refuses(spec: dict[str, Any], field: str) -> None:
    (problem,) = problems(
        "refused-autoscaler", WORKER, scaled_object("lms-worker", **{"triggers": [trigger("a")], **spec})
    )
    assert (problem.severity, problem.field) == ("error", f"spec.{field}")
    assert "KEDA refuses it" in problem.message


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"minReplicaCount": 2, "maxReplicaCount": 2},
        {"minReplicaCount": 100},
        {"minReplicaCount": 1, "idleReplicaCount": 0},
        # As KEDA 2.21 has it, a 0 that is stated counts as 1 here.
        {"minReplicaCount": 0, "idleReplicaCount": 0},
        {"triggers": [CPU, trigger("a")]},
        {"triggers": [CPU], "minReplicaCount": 1},
        {"minReplicaCount": "${MIN}", "maxReplicaCount": "${MAX}"},
    ],
)
def test_what_keda_takes(spec: dict[str, Any]) -> None:
    assert found(WORKER, scaled_object("lms-worker", **{"triggers": [trigger("a")], **spec})) == []


@pytest.mark.parametrize(
    ("numbers", "is_refused"),
    [
        ({"minReplicas": 5, "maxReplicas": 2}, True),
        ({"maxReplicas": 0}, True),
        ({}, True),
        ({"minReplicas": 2, "maxReplicas": 2}, False),
        ({"maxReplicas": 1}, False),
        ({"minReplicas": 0, "maxReplicas": 1}, False),
        ({"maxReplicas": "${MAX}"}, False),
    ],
)
def test_what_an_api_server_refuses(numbers: dict[str, Any], is_refused: bool) -> None:
    tree = json.loads(hpa("lms-worker"))
    text = json.dumps({**tree, "spec": {**tree["spec"], **numbers}})
    assert found(WORKER, text) == ([("error", "lms-worker")] if is_refused else [])
