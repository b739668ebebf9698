"""refused-autoscaler: numbers that KEDA or an API server doesn't take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.small_site import finder, hpa, problems, resource, scaled_object, trigger, worker

found = finder("refused-autoscaler")
WORKER = worker("lms-worker", "a", container={"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}})
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


def formula(text: str) -> dict[str, Any]:
    triggers = [{**trigger("a"), "name": "queued"}, {**trigger("b"), "name": "busy"}]
    return {"triggers": triggers, "advanced": {"scalingModifiers": {"formula": text, "target": "1"}}}


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        ({"minReplicaCount": 1.5}, "minReplicaCount", "1.5 is no whole number"),
        (
            {"triggers": [{"type": "redis", "metadata": {"listLength": 10}}]},
            "triggers[0].metadata.listLength",
            "10 isn't a string",
        ),
        (formula("queued + other"), "advanced.scalingModifiers.formula", "names other, and no trigger is called so"),
        (formula("queued > 5 ? max(queued, waits) : busy"), "advanced.scalingModifiers.formula", "names waits, and"),
    ],
)
def test_values_that_are_refused(spec: dict[str, Any], field: str, said: str) -> None:
    (problem,) = problems(
        "refused-autoscaler", WORKER, scaled_object("lms-worker", **{"triggers": [trigger("a")], **spec})
    )
    assert (problem.severity, problem.field) == ("error", f"spec.{field}")
    assert said in problem.message


@pytest.mark.parametrize(
    "spec",
    [
        *map(formula, ("queued / 40 + busy", "max(queued, busy) > 2 and not false ? 1 : 0", "sum([queued, busy])")),
        formula("let x = queued; x + busy"),
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


def measured(*others: str, resources: Any = None, **spec: Any) -> list[str]:
    """Return what is found where ``spec`` is a HorizontalPodAutoscaler's, or a ScaledObject's."""
    own = worker("lms-worker", "q", container={"resources": resources})
    tree = json.loads(hpa("lms-worker"))
    tree["spec"] |= {"minReplicas": 1, "maxReplicas": 3, **spec}
    scaler = scaled_object("lms-worker", minReplicaCount=1, **spec) if "triggers" in spec else json.dumps(tree) + "\n"
    found = problems("refused-autoscaler", own, scaler, *others)
    assert all(problem.severity == "warning" for problem in found)
    return [f"{problem.field}: {problem.message}" for problem in found]


TARGET = {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}
BESIDE = {"type": "ContainerResource", "containerResource": {**TARGET, "container": "beside"}}


@pytest.mark.parametrize(
    ("spec", "resources", "field"),
    [
        ({"metrics": [{"resource": TARGET}]}, None, "spec.metrics[0]: measures memory"),
        ({"metrics": [{"resource": TARGET}]}, {"requests": {"cpu": 1}}, "spec.metrics[0]: measures memory"),
        ({"metrics": [{"resource": TARGET}]}, {"requests": {"memory": "1Gi"}}, ""),
        ({"metrics": [{"resource": TARGET}]}, {"limits": {"memory": "1Gi"}}, ""),
        ({"metrics": [BESIDE, None, {"type": "External", "external": {}}]}, None, ""),
        ({"metrics": [{"resource": {"name": "cpu", "target": {"type": "AverageValue"}}}]}, None, ""),
        ({"targetCPUUtilizationPercentage": 70}, None, "spec.targetCPUUtilizationPercentage: measures cpu"),
        ({"triggers": [CPU]}, None, "spec.triggers[0]: measures cpu"),
        ({"triggers": [{**CPU, "metricType": "AverageValue"}]}, None, ""),
        ({"triggers": [trigger("q")]}, None, ""),
    ],
)
def test_what_no_pod_asks_for(spec: dict[str, Any], resources: Any, field: str) -> None:
    found = measured(resources=resources, **spec)
    assert len(found) == bool(field)
    assert all(message.startswith(field) for message in found)
    assert all(
        message.endswith("and lms-worker of Deployment lms-worker has none: it scales nothing") for message in found
    )
    assert measured(resource("LimitRange", "l", spec={}), resources=resources, **spec) == []
    vertical = resource("VerticalPodAutoscaler", "v", spec={"targetRef": {"kind": "Deployment", "name": "lms-worker"}})
    assert measured(vertical, resources=resources, **spec) == []
