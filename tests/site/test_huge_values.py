"""Values that are longer than anybody means them: nothing falls over, and nothing takes all memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.openedx.celery.values import Known, Unknown
from kustomizer.rules.registry import findings_of
from kustomizer.site.queues import queues_of
from tests import growth
from tests.rules.small_site import scaled_object, service, site, trigger, with_settings, worker

if TYPE_CHECKING:
    from kustomizer.openedx.celery.view import CeleryView

DIGITS = "9" * 5000
"""More than int() takes."""


def celery_of(text: str) -> CeleryView:
    (only,) = site(text).workers
    assert only.celery is not None
    return only.celery


def with_variables(*values: str) -> str:
    """Return a worker that takes the queue which the last of its variables names, A0 and so on."""
    variables = [{"name": f"A{number}", "value": value} for number, value in enumerate(values)]
    return worker("lms-worker", f"$(A{len(values) - 1})", container={"env": variables})


@pytest.mark.parametrize(
    "option",
    [
        "--autoscale",
        "--concurrency",
        "--max-tasks-per-child",
        "--prefetch-multiplier",
        "--soft-time-limit",
        "--time-limit",
    ],
)
def test_an_option(option: str) -> None:
    built = site(service("lms"), with_settings("lms-worker", "a"), worker("lms-worker-b", "b", f"{option}={DIGITS}"))
    findings_of(built)
    assert {row.queue for row in queues_of(built)} >= {"a", "b"}
    celery = built.workers[1].celery
    assert celery is not None
    assert not isinstance(celery.concurrency, Known)
    assert isinstance(celery.prefetch_multiplier, Unknown)
    assert celery.prefetch_multiplier.otherwise is not None
    assert celery.prefetch_multiplier.otherwise.value == 1


@pytest.mark.parametrize("length", [DIGITS, "²", "1e999999"])
def test_a_scaled_object(length: str) -> None:
    counted: dict[str, Any] = trigger("a")
    counted["metadata"] |= {"listLength": length, "databaseIndex": length}
    scaler = scaled_object("lms-worker", triggers=[counted], minReplicaCount=length, maxReplicaCount=length)
    built = site(worker("lms-worker", "a"), scaler)
    findings_of(built)
    (row,) = queues_of(built)
    assert row.scaling.list_length is None


def test_variables_that_double_each_other_are_no_bomb() -> None:
    queues = celery_of(with_variables("x" * 100, *[f"$(A{number})$(A{number})" for number in range(60)])).queues
    assert isinstance(queues, Unknown)
    assert "more than a process can have" in queues.reason
    few = celery_of(with_variables("x", "$(A0)$(A0)", "$(A1)$(A1)")).queues
    assert isinstance(few, Known)
    assert few.value == ("xxxx",)


@pytest.mark.parametrize("piece", ["$", "$$", "$(", "$((((", "$(A0)", "$)"])
def test_dollars_take_linear_time(piece: str) -> None:
    environment = celery_of(with_variables("a")).environment
    assert growth.factor(lambda size: environment.expanded(piece * size), 3_000, 24_000) < 24
