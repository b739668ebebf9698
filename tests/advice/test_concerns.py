"""Tasks that don't fit their worker: which are said, and which aren't."""

from __future__ import annotations

from kustomizer.advice.concerns import concerns
from kustomizer.site.queues import Guard, QueueRow
from kustomizer.tasks.model import Task
from tests.known_tasks import DEFAULT, HIGH_MEM, between, known, numbers, site_tasks

SHORT = numbers(500, between(0.1, 0.5))


def said(*tasks: Task, grace: int = 600, timeout: int | None = 3600, late: bool | None = True) -> list[str]:
    guard = Guard(grace_period=grace, visibility_timeout=timeout, late=late)
    rows = [
        QueueRow(namespace="openedx", service="lms", queue=queue, deployment=worker, guard=guard)
        for queue, worker in ((DEFAULT, "lms-worker"), (HIGH_MEM, "lms-worker-high-mem"))
    ]
    return [str(problem) for problem in concerns(site_tasks(*tasks), rows)]


def test_longer_than_the_grace_period() -> None:
    task = known("report", numbers=numbers(2, between(600, 1800)))
    assert said(task) == [
        "report of lms: the longest run took 10 min to 30 min, and a pod of lms-worker that is stopped has 10 min to "
        "finish. It is cut off then: raise terminationGracePeriodSeconds, or route it to a worker that has more"
    ]
    assert said(task, grace=1800) == []
    assert "has 30 s to finish" in said(task, grace=0)[0]


def test_longer_than_the_visibility_timeout() -> None:
    task = known("report", numbers=numbers(2, between(3600, 7200)))
    [message] = said(task, grace=7200)
    assert "Redis hands a task of lms-worker out again after 1 h. It runs twice at a time then" in message
    assert said(task, grace=7200, timeout=7200) == []
    assert said(task, grace=7200, timeout=None) == []


def test_what_is_acknowledged_early_isnt_handed_out_again() -> None:
    task = known("report", late=False, numbers=numbers(2, between(3600, 7200)))
    assert said(task, grace=7200) == []
    assert said(task.replace(settings=None), grace=7200, late=False) == []
    assert len(said(known("report", late=True, numbers=task.numbers), grace=7200, late=False)) == 1


def test_long_ones_in_the_way_of_short_ones() -> None:
    long = known("report", numbers=numbers(2, between(60, 120)))
    short = [known(f"short.{number}", numbers=SHORT) for number in range(3)]
    assert said(long, *short) == [
        "edx.lms.core.default: report (one run in twenty took 1 min or more) can hold up 3 short tasks, which ran "
        "1,500 times a day there. Route the long ones to a queue of their own; `tutor-kustomizer advise` says which"
    ]
    assert said(long.replace(after=HIGH_MEM), *short) == []
    # Seldom enough that nobody waits for it; and not that long.
    assert said(long, known("short", numbers=numbers(9, between(0, 0.1)))) == []
    assert said(known("report", numbers=numbers(2, between(30, 60))), *short) == []


def test_where_its_calls_send_it() -> None:
    """Its worker tells: the call has named another queue than the router's."""
    on_high_mem = numbers(10, between(600, 1800), ran_on=HIGH_MEM)
    assert "a pod of lms-worker-high-mem that" in said(known("report", numbers=on_high_mem))[0]
    # It ran where it goes now, and the build moves it.
    moved = known("report", HIGH_MEM, after=DEFAULT, numbers=on_high_mem)
    assert "a pod of lms-worker that" in said(moved)[0]
    for elsewhere in ("edx.lms.core.default", "edx.lms.core.gone", ""):
        task = known("report", HIGH_MEM, numbers=on_high_mem.replace(ran_on=elsewhere))
        assert "a pod of lms-worker-high-mem that" in said(task)[0]


def test_where_it_goes_isnt_known() -> None:
    long = known("report", "", service="lms", numbers=numbers(2, between(600, 1800)))
    assert said(long, known("short", "", service="lms", numbers=SHORT)) == []
    # Only the running settings tell: where it goes now counts.
    assert len(said(known("report", after=None, numbers=long.numbers))) == 1


def test_what_the_metric_doesnt_tell() -> None:
    task = known("report", "edx.lms.core.other", numbers=numbers(2, between(7200, None)))
    assert said(task) == [
        "1 task ran for more than 2 h, and Flower's metric doesn't tell how much more. "
        "Give Flower FLOWER_TASK_RUNTIME_METRIC_BUCKETS that reach further (docs/flower.md)"
    ]


def test_nothing_measured() -> None:
    assert said(known("report"), known("short")) == []
