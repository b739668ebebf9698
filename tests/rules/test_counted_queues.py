"""counted-queues: a ScaledObject that counts other queues than its worker takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import (
    finder,
    problems,
    resource,
    scaled_object,
    settings,
    split_site,
    trigger,
    with_settings,
    worker,
)

found = finder("counted-queues")
DEFAULT, HIGH, MEM = "edx.lms.core.default", "edx.lms.core.high", "edx.lms.core.high_mem"


def scaling(*queues: str, **spec: Any) -> str:
    return scaled_object("lms-worker", triggers=[trigger(queue) for queue in queues], **spec)


def test_a_worker_that_no_longer_takes_what_is_counted() -> None:
    (problem,) = problems("counted-queues", *split_site(), scaling(DEFAULT, HIGH, MEM))
    assert problem.severity == "warning"
    assert problem.message == (
        f"counts {HIGH}, {MEM}, which lms-worker doesn't take: lms-worker gets pods for tasks that "
        "lms-worker-high, lms-worker-high-mem run"
    )
    assert f"Have it count {DEFAULT} alone" in problem.remedy
    assert "K8S_LMS_WORKER_KEDA_QUEUE_NAMES" in problem.remedy


def test_lists_of_priorities_are_their_queues() -> None:
    lists = [f"{queue}{priority}" for queue in (DEFAULT, HIGH) for priority in ("", "\x06\x163", "\x06\x169")]
    (problem,) = problems("counted-queues", *split_site(), scaling(*lists))
    assert problem.message.startswith(f"counts {HIGH}, which")
    assert found(*split_site(), scaling(*lists[:3])) == []


def test_lists_that_no_worker_takes_may_be_anothers() -> None:
    assert found(*split_site(), scaling(DEFAULT, "unacked", "some.other.list", f"reports-{HIGH}")) == []


@pytest.mark.parametrize(("spec", "severity"), [({}, "error"), ({"minReplicaCount": 1}, "warning")])
def test_a_queue_that_nothing_counts(spec: dict[str, Any], severity: str) -> None:
    both = worker("lms-worker", f"{DEFAULT},{HIGH}")
    (problem,) = problems("counted-queues", both, scaling(DEFAULT, **spec))
    assert problem.severity == severity
    assert f"doesn't count {HIGH}" in problem.message
    assert found(both, scaling(DEFAULT, HIGH, **spec)) == []


def test_a_formula_counts_what_it_names() -> None:
    both = worker("lms-worker", f"{DEFAULT},{HIGH}")
    triggers = [trigger(DEFAULT, name="q0"), trigger(HIGH, name="q1")]
    advanced: dict[str, Any] = {"scalingModifiers": {"formula": "q0 + q1", "target": "2"}}
    assert found(both, scaled_object("lms-worker", triggers=triggers, advanced=advanced)) == []
    advanced["scalingModifiers"]["formula"] = "q0 + 1"
    assert found(both, scaled_object("lms-worker", triggers=triggers, advanced=advanced))


def test_another_trigger_may_wake_the_worker() -> None:
    both = worker("lms-worker", f"{DEFAULT},{HIGH}")
    cron = {"type": "cron", "metadata": {"timezone": "UTC"}}
    assert found(both, scaled_object("lms-worker", triggers=[trigger(DEFAULT), cron])) == []
    # With one that knows nothing of queues alone, tasks wait until it wakes it.
    (problem,) = problems("counted-queues", both, scaled_object("lms-worker", triggers=[cron]))
    assert problem.message == f"counts no queue (cron): while lms-worker has no pod, tasks on {DEFAULT}, {HIGH} wait"
    assert found(both, scaled_object("lms-worker", triggers=[cron], minReplicaCount=1)) == []
    prometheus = {"type": "prometheus", "metadata": {"query": "sum(celery_queue_length)"}}
    assert found(both, scaled_object("lms-worker", triggers=[prometheus, cron])) == []


def test_the_key_prefix_of_the_settings() -> None:
    text = settings("BROKER_TRANSPORT_OPTIONS = {'global_keyprefix': 'site:'}")
    workers = [with_settings("lms-worker", DEFAULT), with_settings("lms-worker-high", HIGH)]
    assert found(*workers, text, scaling(f"site:{DEFAULT}")) == []
    assert found(*workers, text, scaling(f"site:{DEFAULT}", f"site:{HIGH}"))
    (problem,) = problems("counted-queues", *workers, text, scaling(DEFAULT))
    assert problem.message.startswith(f"counts {DEFAULT}, and the settings of lms-worker have site: before each key")
    assert problem.severity == "error"


def test_ours_is_mended_by_a_build() -> None:
    ours = scaled_object("lms-worker", triggers=[trigger(DEFAULT, name="queued1"), trigger(HIGH, name="queued2")])
    (problem,) = problems("counted-queues", *split_site(), ours)
    assert problem.remedy.startswith("Build the site again")


def on(transport: str) -> list[str]:
    """Return a worker of ``a`` and what names its broker."""
    volumes = [{"name": "config", "configMap": {"name": "openedx-config"}}]
    mounts = [{"name": "config", "mountPath": "/openedx/config"}]
    lines = {"TRANSPORT": transport, "HOSTNAME": "host:1", "VHOST": "0", "USER": "''", "PASSWORD": "''"}
    text = "".join(f"CELERY_BROKER_{name}: {value}\n" for name, value in lines.items())
    config = resource("ConfigMap", "openedx-config", data={"lms.env.yml": text})
    return [worker("lms-worker", "a", pod={"volumes": volumes}, container={"volumeMounts": mounts}), config]


RABBIT = {"type": "rabbitmq", "metadata": {"queueName": "a", "mode": "QueueLength", "value": "20"}}
SQS = {"type": "aws-sqs-queue", "metadata": {"queueURL": "https://sqs.eu-west-1.amazonaws.com/1/a"}}
CRON = {"type": "cron", "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 9 * * *"}}


@pytest.mark.parametrize(
    ("transport", "counted", "own"),
    [
        ("redis", RABBIT, "Redis"),
        ("rediss", SQS, "Redis"),
        ("amqp", trigger("a"), "RabbitMQ"),
        ("sqs", RABBIT, "SQS"),
        ("gcpubsub", {**trigger("a"), "type": "redis-sentinel"}, "gcpubsub"),
    ],
)
def test_another_broker_than_the_workers(transport: str, counted: dict[str, Any], own: str) -> None:
    (problem,) = problems("counted-queues", *on(transport), scaled_object("lms-worker", triggers=[counted]))
    assert (problem.severity, problem.field) == ("error", "spec.triggers[0].type")
    assert problem.message.endswith(f"and the broker of lms-worker is {own}: none of its tasks is there")
    least_one = scaled_object("lms-worker", triggers=[counted], minReplicaCount=1)
    assert found(*on(transport), least_one) == [("warning", "lms-worker-scaledobject")]
    # Another trigger may wake it.
    beside = scaled_object("lms-worker", triggers=[CRON, counted])
    assert found(*on(transport), beside) == [("warning", "lms-worker-scaledobject")]


@pytest.mark.parametrize(("transport", "counted"), [("redis", trigger("a")), ("pyamqp", RABBIT), ("sqs", SQS)])
def test_the_workers_own_broker(transport: str, counted: dict[str, Any]) -> None:
    assert found(*on(transport), scaled_object("lms-worker", triggers=[counted, CRON])) == []
    # Which one it is, nobody knows.
    assert found(worker("lms-worker", "a"), scaled_object("lms-worker", triggers=[RABBIT])) == []


@pytest.mark.parametrize(
    ("lists", "is_counted"),
    [
        (["edx.lms.core.defualt", "unacked"], False),
        (["celery"], False),
        ([HIGH + "_mem"], False),
        ([f"{HIGH}:5"], True),
        ([f"{HIGH}#5"], True),
        ([f"{HIGH}\x06\x163"], True),
    ],
)
def test_a_list_that_is_none_of_its_own(lists: list[str], *, is_counted: bool) -> None:
    high = worker("lms-worker", HIGH)
    for least, severity in ((0, "error"), (1, "warning")):
        scaled = scaling(*lists, minReplicaCount=least)
        assert found(high, scaled) == ([] if is_counted else [(severity, "lms-worker-scaledobject")])
    if not is_counted:
        (problem,) = problems("counted-queues", high, scaling(*lists))
        assert f"doesn't count {HIGH}, which lms-worker takes: tasks there wait" in problem.message
