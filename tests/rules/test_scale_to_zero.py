"""scale-to-zero: a worker that may vanish in the middle of a task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.small_site import finder, problems, resource, scaled_object, settings, trigger, with_settings, worker

found = finder("scale-to-zero")
QUEUED = trigger("edx.lms.core.default", name="queued1")
IN_FLIGHT = trigger("unacked", name="inflight")


@pytest.mark.parametrize("spec", [{}, {"minReplicaCount": 0}, {"minReplicaCount": 2, "idleReplicaCount": 0}])
def test_nothing_counts_what_runs(spec: dict[str, Any]) -> None:
    (problem,) = problems("scale-to-zero", worker("lms-worker"), scaled_object("lms-worker", triggers=[QUEUED], **spec))
    assert problem.severity == "error"
    assert "in the middle of a task" in problem.message
    assert "keda.inFlight: Zero" in problem.remedy


def test_a_key_that_only_a_running_pod_knows() -> None:
    """Settings that stand behind the options may name another."""
    scaled = scaled_object("lms-worker", triggers=[QUEUED, trigger("unacked.mine", name="inflight")])
    assert found(worker("lms-worker", "a", "--", "broker_transport_options.x=1"), scaled) == []
    assert found(worker("lms-worker", "a"), scaled) != []


def test_somebody_elses_is_mended_where_it_is_made() -> None:
    scaled = scaled_object("lms-worker", triggers=[trigger("edx.lms.core.default")])
    (problem,) = problems("scale-to-zero", worker("lms-worker"), scaled)
    assert problem.remedy.startswith("Set minReplicaCount: 1 where this ScaledObject is made")


def test_a_formula_that_leaves_out_what_runs_counts_nothing() -> None:
    advanced = {"scalingModifiers": {"formula": "queued1/40"}}
    assert found(worker("lms-worker"), scaled_object("lms-worker", triggers=[QUEUED, IN_FLIGHT], advanced=advanced))
    advanced["scalingModifiers"]["formula"] += " + inflight/2"
    assert not found(worker("lms-worker"), scaled_object("lms-worker", triggers=[QUEUED, IN_FLIGHT], advanced=advanced))


@pytest.mark.parametrize("spec", [{"minReplicaCount": 1}, {"minReplicaCount": 2, "idleReplicaCount": 1}])
def test_a_pod_always_stays(spec: dict[str, Any]) -> None:
    assert found(worker("lms-worker"), scaled_object("lms-worker", triggers=[QUEUED], **spec)) == []


@pytest.mark.parametrize(
    ("annotations", "paused"),
    [
        ({"autoscaling.keda.sh/paused": "true"}, True),
        ({"autoscaling.keda.sh/paused-replicas": "2"}, True),
        ({"autoscaling.keda.sh/paused": "false"}, False),
        ({}, False),
    ],
)
def test_a_paused_one_scales_nothing(annotations: dict[str, str], *, paused: bool) -> None:
    scaled = json.loads(scaled_object("lms-worker", triggers=[QUEUED]))
    scaled["metadata"]["annotations"] = annotations
    scaled = json.dumps(scaled)
    assert bool(problems("scale-to-zero", worker("lms-worker"), scaled)) != paused


@pytest.mark.parametrize(("minimum", "expected"), [(0, 1), (1, 0), (None, 0)])
def test_kubernetes_own_autoscaler(minimum: int | None, expected: int) -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "lms-worker"}, "minReplicas": minimum, "maxReplicas": 3}
    hpa = resource("HorizontalPodAutoscaler", "a", api_version="autoscaling/v2", spec=spec)
    said = problems("scale-to-zero", worker("lms-worker"), hpa)
    assert [(each.severity, each.field) for each in said] == [("warning", "spec.minReplicas")] * expected


def test_a_formula_that_is_null() -> None:
    """kustomize writes null as it was written, and the triggers count as they are."""
    scaled = scaled_object("lms-worker", triggers=[QUEUED, IN_FLIGHT], advanced={"scalingModifiers": {"formula": None}})
    assert not problems("scale-to-zero", worker("lms-worker"), scaled)


def test_what_runs_is_counted() -> None:
    assert found(worker("lms-worker"), scaled_object("lms-worker", triggers=[QUEUED, IN_FLIGHT])) == []


def test_another_key_than_the_workers_is_counted() -> None:
    text = "BROKER_TRANSPORT_OPTIONS = {**BROKER_TRANSPORT_OPTIONS, 'unacked_key': 'unacked.lms-worker-high'}"
    high = with_settings("lms-worker-high", "edx.lms.core.high")
    wrong = scaled_object("lms-worker-high", triggers=[QUEUED, IN_FLIGHT])
    (problem,) = problems("scale-to-zero", high, settings(text), wrong)
    assert "running tasks are in unacked.lms-worker-high" in problem.message
    right = scaled_object("lms-worker-high", triggers=[QUEUED, trigger("unacked.lms-worker-high")])
    assert found(high, settings(text), right) == []


def test_the_key_prefix_that_the_settings_name_stands_before_the_key() -> None:
    text = "BROKER_TRANSPORT_OPTIONS = {'global_keyprefix': 'site:'}"
    lms = with_settings("lms-worker", "edx.lms.core.default")
    for name, is_guard in (("site:unacked", True), ("unacked", False), ("other:unacked", False)):
        scaled = scaled_object("lms-worker", triggers=[trigger("site:edx.lms.core.default"), trigger(name)])
        assert (found(lms, settings(text), scaled) == []) == is_guard


def test_a_key_prefix_that_no_settings_name_is_believed_where_a_queue_has_it_too() -> None:
    lms = worker("lms-worker", "edx.lms.core.default")
    both = [trigger("site:edx.lms.core.default"), trigger("site:unacked")]
    assert found(lms, scaled_object("lms-worker", triggers=both)) == []


def test_a_key_that_ends_in_the_workers_own_is_another_workers() -> None:
    lms = worker("lms-worker", "edx.lms.core.default")
    other = [trigger("edx.lms.core.default"), trigger("other.unacked")]
    assert found(lms, scaled_object("lms-worker", triggers=other)) == [("error", "lms-worker-scaledobject")]


def test_another_applications_settings_are_not_known() -> None:
    assert found(worker("superset-worker"), scaled_object("superset-worker", triggers=[QUEUED])) == [
        ("warning", "superset-worker-scaledobject")
    ]


def test_what_is_no_celery_worker_may_go_to_zero() -> None:
    assert found(scaled_object("lms", triggers=[QUEUED])) == []


@pytest.mark.parametrize("name", ["paused-scale-in", "force-activation"])
def test_annotations_that_keep_the_last_pod(name: str) -> None:
    text = scaled_object("lms-worker", triggers=[QUEUED])
    annotations = '"annotations": {"autoscaling.keda.sh/%s": "%s"}, "namespace"'
    for value, severities in (("true", []), ("false", [("error", "lms-worker-scaledobject")])):
        annotated = text.replace('"namespace"', annotations % (name, value), 1)
        assert found(worker("lms-worker"), annotated) == severities


ON_RABBITMQ = [
    with_settings("lms-worker", "a"),
    settings("CELERY_ACKS_LATE = True\nBROKER_URL = 'amqp://rabbitmq:5672//'\n"),
]


@pytest.mark.parametrize(
    ("metadata", "severity"),
    [
        ({"protocol": "http"}, ""),
        ({"host": "https://rabbitmq:15672/vhost"}, ""),
        ({"protocol": "amqp"}, "error"),
        ({"host": "amqp://rabbitmq:5672/vhost"}, "error"),
        ({"protocol": "http", "excludeUnacknowledged": "true"}, "error"),
        ({"hostFromEnv": "RABBITMQ_URL"}, "warning"),
    ],
)
def test_rabbitmqs_api_counts_what_runs(metadata: dict[str, str], severity: str) -> None:
    rabbit = {"type": "rabbitmq", "metadata": {"queueName": "a", **metadata}}
    scaled = scaled_object("lms-worker", triggers=[rabbit])
    given = problems("scale-to-zero", *ON_RABBITMQ, scaled)
    assert [problem.severity for problem in given] == ([severity] if severity else [])
    assert all(problem.remedy.endswith("or protocol: http") for problem in given)
    # Without late acknowledgement a task that runs is acknowledged.
    early = settings("BROKER_URL = 'amqp://rabbitmq:5672//'\n")
    assert found(ON_RABBITMQ[0], early, scaled) == [("error", "lms-worker-scaledobject")]
