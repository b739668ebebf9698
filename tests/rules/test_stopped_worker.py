"""stopped-worker: queues whose only worker is kept without pods."""

from __future__ import annotations

import json

import pytest

from kustomizer.site.queues import queues_of
from tests.rules.small_site import finder, hpa, problems, routing_lms, scaled_object, service, site, trigger, worker

found = finder("stopped-worker")
HIGH = "edx.lms.core.high"
MINE = trigger(HIGH, name="queued1")


def annotated(text: str, **annotations: str) -> str:
    tree = json.loads(text)
    names = {f"autoscaling.keda.sh/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return json.dumps({**tree, "metadata": {**tree["metadata"], "annotations": names}}) + "\n"


def scaler(minimum: int = 0, **annotations: str) -> str:
    return annotated(scaled_object("lms-worker-high", triggers=[trigger(HIGH)], minReplicaCount=minimum), **annotations)


@pytest.mark.parametrize(
    ("text", "annotation"),
    [(scaler(paused_replicas="0"), "paused-replicas"), (scaler(paused_scale_out="true"), "paused-scale-out")],
)
def test_keda_keeps_it_at_zero(text: str, annotation: str) -> None:
    (problem,) = problems("stopped-worker", service("lms"), worker("lms-worker-high", HIGH), text)
    assert problem.severity == "error"
    assert f"tasks on {HIGH}, which lms-worker-high alone takes, wait for ever" in problem.message
    assert problem.field == f'metadata.annotations["autoscaling.keda.sh/{annotation}"]'


@pytest.mark.parametrize(
    "text",
    [
        scaler(),
        scaler(paused_replicas="2"),
        scaler(paused_replicas="a few"),
        scaler(paused="true"),
        scaler(paused_scale_in="true"),
        scaler(1, paused_scale_out="true"),
        scaler(paused_scale_out="false"),
    ],
)
def test_keda_does_not(text: str) -> None:
    assert found(service("lms"), worker("lms-worker-high", HIGH), text) == []


def test_the_table_says_so() -> None:
    (row,) = queues_of(site(worker("lms-worker-high", HIGH), scaler(paused_replicas="0")))
    assert str(row.scaling) == "KEDA 0, paused"
    (row,) = queues_of(site(worker("lms-worker-high", HIGH), scaler(paused_replicas="2")))
    assert str(row.scaling) == "KEDA 2, paused"


def test_no_replicas() -> None:
    stopped = worker("lms-worker-high", HIGH, replicas=0)
    (problem,) = problems("stopped-worker", service("lms"), stopped)
    assert (problem.field, problem.severity) == ("spec.replicas", "error")
    # An HPA leaves it alone, KEDA doesn't unless it is paused.
    assert found(service("lms"), stopped, hpa("lms-worker-high")) == [("error", "lms-worker-high")]
    assert found(service("lms"), stopped, scaler()) == []
    assert found(service("lms"), stopped, scaler(paused="true")) == [("error", "lms-worker-high")]
    assert found(service("lms"), worker("lms-worker-high", HIGH, replicas=1)) == []


def test_another_worker_takes_the_queue() -> None:
    both = worker("lms-worker", f"edx.lms.core.default,{HIGH}")
    assert found(service("lms"), both, worker("lms-worker-high", HIGH, replicas=0)) == []


def test_how_bad_it_is() -> None:
    bulk = worker("bulk", "bulk", replicas=0)
    assert found(bulk) == []
    routed = routing_lms("EXPLICIT_QUEUES = {'a.b': {'queue': 'bulk'}}")
    assert ("error", "bulk") in found(bulk, *routed)
    assert found(worker("lms-worker-bulk", "bulk", replicas=0)) == [("warning", "lms-worker-bulk")]
    ours = annotated(scaled_object("lms-worker-high", triggers=[MINE]), paused_replicas="0")
    assert found(service("lms"), worker("lms-worker-high", HIGH), ours) == [("warning", "lms-worker-high-scaledobject")]
