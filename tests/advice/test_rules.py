"""Each rule: the numbers that it changes something for, and those that it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kustomizer.advice.loads import Load
from kustomizer.advice.rules import (
    AT_A_TIME,
    GRACE,
    LENGTH,
    MAXIMUM,
    MINIMUM,
    ONE_AT_A_TIME,
    REPLICAS,
    VISIBILITY,
    changes,
)
from kustomizer.config.load import load as load_config
from tests.known_tasks import between, known, numbers

KEDA = {"enabled": True}


def advised(
    *measured: Any, variant: str = "high", worker: dict[str, Any] | None = None, keda: bool = True
) -> dict[str, tuple[Any, str]]:
    """Return value and rule of each change, by the field of the worker."""
    spec = {
        "defaults": {"keda": KEDA} if keda else {},
        "workers": {"lms": {"high": {}, "high_mem": {}, variant: worker or {}}},
    }
    text = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers", "spec": spec}
    tasks = [known(f"task.{index}", numbers=each) for index, each in enumerate(measured)]
    config = load_config(yaml.safe_load(yaml.safe_dump(text)))
    found = list(changes(config, Load(service="lms", variant=variant, tasks=tasks)))
    assert {change.field[:4] for change in found} <= {("spec", "workers", "lms", variant)}
    return {".".join(change.field[4:]): (change.value, change.rule) for change in found}


def busy(ordinary: float, busiest: float, mean: float = 1, *, longest: float = 5, per_day: float = 1000) -> Any:
    """Return the numbers of a task of which so many ran at a time."""
    hours = (*[ordinary * 3600] * 167, busiest * 3600)
    time = between(longest / 2, longest)
    return numbers(per_day, time, hours=hours, seconds=mean * round(per_day * 7))


FITTING = {"concurrency": 1, "keda": {"minReplicas": 1, "listLength": 60}}


def test_what_fits_is_left() -> None:
    assert advised(busy(0.5, 1), worker=FITTING) == {}


def test_how_many_at_a_time() -> None:
    assert advised(busy(2.5, 3))["concurrency"] == (3, AT_A_TIME)
    assert advised(busy(9, 10))["concurrency"] == (4, AT_A_TIME)
    assert advised(busy(2.5, 3), worker={"concurrency": 2})["concurrency"] == (3, AT_A_TIME)
    # More is left.
    assert "concurrency" not in advised(busy(0.1, 0.2), worker={"concurrency": 6})
    assert advised(busy(0.1, 0.2))["concurrency"] == (1, AT_A_TIME)


def test_long_tasks_are_run_one_at_a_time() -> None:
    long, short = busy(0.5, 1, 600, longest=1200, per_day=10), busy(0.1, 0.2, per_day=100)
    assert advised(long, short, worker={"concurrency": 4})["concurrency"] == (1, ONE_AT_A_TIME)
    # Most of the time is of short ones.
    assert "concurrency" not in advised(long, busy(2, 3, 10, per_day=2000), worker={"concurrency": 4})


@pytest.mark.parametrize(
    ("mean", "slots", "length"),
    [
        (0.5, 1, 120),
        (0.5, 4, 480),
        (30, 4, 8),
        (600, 1, 1),
        (600, 4, 4),
        (0.3015, 1, 200),
        (1.5, 1, None),
        (0.75, 1, None),
        (3, 1, None),
    ],
)
def test_the_list_length(mean: float, slots: int, length: int | None) -> None:
    found = advised(busy(0.5, 1, mean), worker={"concurrency": slots})
    assert found.get("keda.listLength") == (None if length is None else (length, LENGTH))


def test_the_minimum() -> None:
    assert advised(busy(7, 8), worker={"concurrency": 4})["keda.minReplicas"] == (2, MINIMUM)
    assert advised(busy(0.01, 4), worker={"concurrency": 2})["keda.minReplicas"] == (1, MINIMUM)
    assert "keda.minReplicas" not in advised(busy(0, 4), worker={"concurrency": 2})
    assert advised(busy(0, 4), worker={"keda": {"minReplicas": 2}})["keda.minReplicas"] == (0, MINIMUM)
    # Nobody waits for long ones.
    assert "keda.minReplicas" not in advised(busy(0.9, 2, 900, longest=1800, per_day=50))


def test_the_maximum() -> None:
    few = {"concurrency": 2, "keda": {"maxReplicas": 3, "minReplicas": 1}}
    assert advised(busy(1, 7.5), worker=few)["keda.maxReplicas"] == (8, MAXIMUM)
    assert "keda.maxReplicas" not in advised(busy(1, 3), worker=few)
    assert "keda.maxReplicas" not in advised(busy(1, 15))
    assert advised(busy(1, 15.5))["keda.maxReplicas"] == (31, MAXIMUM)
    one = {"keda": {"maxReplicas": 1}}
    assert advised(busy(0, 0.1), worker=one)["keda.maxReplicas"] == (2, MAXIMUM)


def test_replicas_without_keda() -> None:
    assert advised(busy(1, 5), keda=False) == {"concurrency": (1, AT_A_TIME), "replicas": (5, REPLICAS)}
    assert advised(busy(1, 5), keda=False, worker={"concurrency": 2, "replicas": 3}) == {}


def test_times() -> None:
    long = busy(0.5, 1, 600, longest=1800, per_day=10)
    found = advised(long)
    assert found["terminationGracePeriodSeconds"] == (1800, GRACE)
    assert "visibilityTimeout" not in found
    longer = advised(busy(0.5, 1, 600, longest=1801, per_day=10))
    assert longer["terminationGracePeriodSeconds"] == (1860, GRACE)
    assert longer["visibilityTimeout"] == (3720, VISIBILITY)
    # high_mem has an hour, and two, built in.
    assert (
        not {"terminationGracePeriodSeconds", "visibilityTimeout"}
        & advised(busy(0.5, 1, 600, longest=3600, per_day=10), variant="high_mem").keys()
    )
    # They are shared with cms.
    default = advised(busy(0.5, 1, 600, longest=7200, per_day=10), variant="default")
    assert not {"terminationGracePeriodSeconds", "visibilityTimeout"} & default.keys()


def test_a_run_that_the_metric_doesnt_tell() -> None:
    unknown = numbers(10, between(7200, None), between(60, 120))
    assert not {"terminationGracePeriodSeconds", "visibilityTimeout"} & advised(unknown).keys()


def test_too_few_runs() -> None:
    assert advised(busy(5, 9, per_day=2)) == {}
    assert advised(busy(5, 9, per_day=2), busy(5, 9, per_day=1)) != {}
    assert advised(numbers(1000, between(1, 5), hours=())) == {}
