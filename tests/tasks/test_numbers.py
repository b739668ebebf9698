"""Times and amounts as people read them."""

from __future__ import annotations

import pytest

from kustomizer.tasks.numbers import RunTime, amount, at_share, queue_of_node, service_of, span
from tests.known_tasks import WEEK, between, known, numbers, site_tasks


@pytest.mark.parametrize(
    ("least", "most", "words", "short"),
    [
        (600, 1800, "10 min to 30 min", "10-30min"),
        (30, 60, "30 s to 1 min", "30s-1min"),
        (0, 0.1, "up to 0.1 s", "<0.1s"),
        (7200, None, "over 2 h", ">2h"),
        (0.317, 0.317, "0.317 s", "0.317s"),
        (0.1, 0.5, "0.1 s to 0.5 s", "0.1-0.5s"),
        (1800, 3600, "30 min to 1 h", "30min-1h"),
        (0, 0, "0 s", "0s"),
    ],
)
def test_run_times(least: float, most: float | None, words: str, short: str) -> None:
    time = RunTime(least=least, most=most)
    assert (str(time), time.short) == (words, short)


def test_amounts_and_spans() -> None:
    assert [amount(number) for number in (0, 0.137, 7.5, 99, 100, 12345.6)] == [
        "0",
        "0.14",
        "7.5",
        "99",
        "100",
        "12,346",
    ]
    assert [span(days) for days in (7, 2, 1, 0.5, 1 / 48)] == ["7 days", "2 days", "24 h", "12 h", "30 min"]


def test_shares() -> None:
    values = list(range(1, 21))
    assert [at_share(values, share) for share in (0.5, 0.95, 1)] == [10, 19, 20]
    assert at_share([3], 0.5) == 3


@pytest.mark.parametrize(
    ("node", "queue"),
    [
        ("celery@edx.lms.core.high_mem.lms-worker-high-mem-5d8-x2", "edx.lms.core.high_mem"),
        ("edx.cms.core.default@cms-worker-1.site", "edx.cms.core.default"),
        ("celery@host", ""),
        ("celery@edx.notes.core.default.a", ""),
    ],
)
def test_the_queue_in_a_nodes_name(node: str, queue: str) -> None:
    assert queue_of_node(node) == queue
    assert service_of(queue) == (queue.split(".")[1] if queue else "")


def test_a_tasks_own_numbers_come_before_those_of_a_worker_that_isnt_known() -> None:
    site = site_tasks(known("lms.quick"))
    own, others = (numbers(per_day, between(1, 2)) for per_day in (5, 9))
    found = {
        ("", "lms.gone"): others,
        ("", "lms.quick"): others,
        ("cms", "lms.quick"): others,
        ("lms", "lms.quick"): own,
    }
    measured, unknown = site.with_numbers(WEEK, found)
    assert [task.numbers for task in measured.tasks] == [own]
    assert unknown == ["lms.gone"]
    measured, _ = site.with_numbers(WEEK, {("", "lms.quick"): others})
    assert [task.numbers for task in measured.tasks] == [others]
