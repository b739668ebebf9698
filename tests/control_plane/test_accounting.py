"""Lost, doubled, waited, cost: counted from journals that are written here by hand."""

from __future__ import annotations

import math

import pytest

from tests.control_plane.accounting import Outcome, PodTime, Waits, account, attempts_of, doubled_tasks, most_at_once
from tests.control_plane.journal import Event

QUEUE = "edx.lms.core.high"


def sent(task: str, at: float = 0.0, countdown: float = 0.0) -> Event:
    return Event(at=at, event="sent", task=task, queue=QUEUE, countdown=countdown)


def run(task: str, number: int, start: float, end: float | None, last: str = "finished") -> list[Event]:
    """Return an attempt on the pod of this number, which ends with the event ``last``, or doesn't."""
    attempt = f"{task}/{number}"
    started = Event(at=start, event="started", task=task, queue=QUEUE, pod=f"pod-{number}", attempt=attempt)
    return [started] if end is None else [started, started.replace(at=end, event=last)]


def pod(number: int, ended: float = 0.0, how: str = "", created: float = 0.0) -> PodTime:
    return PodTime(name=f"pod-{number}", deployment="w", created=created, started=created, ended=ended, how=how)


def outcome(*events: Event, pods: tuple[PodTime, ...] = (), end: float = 100.0, factor: float = 1.0) -> Outcome:
    return account(sorted(events, key=lambda event: event.at), pods, began=10.0, end=end, factor=factor)


def counts(found: Outcome) -> tuple[int, int, int, int]:
    return found.lost, found.doubled, found.again, found.cut_off


def test_a_task_that_runs_once_is_neither_lost_nor_doubled() -> None:
    found = outcome(sent("a"), *run("a", 1, 2, 5), pods=(pod(1),))

    assert (found.sent, found.done) == (1, 1)
    assert counts(found) == (0, 0, 0, 0)
    assert found.took == 5


def test_a_task_that_never_finishes_is_lost_whether_it_started_or_not() -> None:
    found = outcome(sent("a"), sent("b"), *run("b", 1, 2, None))

    assert counts(found) == (2, 0, 0, 0)
    assert found.done == 0


def test_what_finishes_after_the_end_is_lost() -> None:
    assert outcome(sent("a"), *run("a", 1, 2, 101)).lost == 1


def test_a_task_that_finishes_twice_is_doubled_even_if_somebody_killed_its_pod_later() -> None:
    found = outcome(sent("a"), *run("a", 1, 2, 5), *run("a", 2, 7, 9), pods=(pod(1, 6, "lost"),))

    assert counts(found) == (0, 1, 0, 0)


def test_a_start_beside_an_attempt_that_still_runs_is_doubled() -> None:
    assert outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 7, 9)).doubled == 1


def test_a_start_before_the_kill_is_doubled_and_one_after_it_is_not() -> None:
    killed = pod(1, 8, "cut off")

    assert counts(outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 7, 12), pods=(killed,))) == (0, 1, 0, 1)
    assert counts(outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 9, 12), pods=(killed,))) == (0, 0, 1, 1)


@pytest.mark.parametrize("how", ["", "stopped"])
def test_a_pod_that_ends_by_itself_excuses_no_second_start(how: str) -> None:
    found = outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 9, 12), pods=(pod(1, 8, how),))

    assert counts(found) == (0, 1, 0, 0)


def test_a_task_killed_three_times_is_not_doubled() -> None:
    pods = (pod(1, 3, "lost"), pod(2, 6, "cut off"))
    died = run("a", 3, 7, 8, "dying")
    found = outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 5, None), *died, *run("a", 4, 9, 12), pods=pods)

    assert counts(found) == (0, 0, 1, 1)


def test_a_kill_in_place_counts_for_what_ran_then_and_not_for_what_came_after() -> None:
    kill = Event(at=3, event="killed", pod="pod-1")
    first, again = run("a", 1, 2, None), run("a", 1, 4, None)
    third = run("a", 2, 8, 9)

    assert outcome(sent("a"), *first, kill, *third).doubled == 0
    assert outcome(sent("a"), kill.replace(at=1), *first, *third).doubled == 1
    assert [attempt.killed for attempt in attempts_of([*first, kill, *again], ())] == [3, math.inf]


def test_waits_count_from_when_a_task_was_due_in_the_seconds_of_the_site() -> None:
    events = [sent(str(number), countdown=2) for number in range(20)]
    runs = [event for number in range(20) for event in run(str(number), number, 2 + number, 50)]
    found = outcome(*events, *runs, factor=10).waits

    assert found == {QUEUE: Waits(tasks=20, never=0, median=95, p95=180, worst=190)}


def test_a_task_that_never_starts_waits_until_the_end() -> None:
    assert outcome(sent("a", at=40)).waits == {QUEUE: Waits(tasks=1, never=1, median=60, p95=60, worst=60)}


def test_a_task_that_starts_again_waited_for_its_first_start() -> None:
    found = outcome(sent("a"), *run("a", 1, 2, None), *run("a", 2, 9, 12), pods=(pod(1, 8, "lost"),))

    assert found.waits[QUEUE].worst == 2


def test_pods_cost_from_their_creation_to_their_end_within_the_run() -> None:
    pods = (pod(1, created=-50, ended=20), pod(2, created=20), pod(3, created=30, ended=40), pod(4, 8, created=5))
    found = outcome(sent("a"), pods=pods, factor=10)

    assert found.pod_seconds == 10 * (10 + 80 + 10)
    assert found.most_pods == 2


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert most_at_once([(0, 1), (1, 2)]) == 1
    assert most_at_once([]) == 0


def test_how_long_the_last_killed_task_took_to_start_again() -> None:
    found = outcome(
        *(sent("a"), sent("b"), sent("c")),
        *(*run("a", 1, 2, None), *run("a", 3, 9, 11)),
        *(*run("b", 2, 2, None), *run("b", 3, 40, 41)),
        *run("c", 2, 5, None),
        pods=(pod(1, 6, "lost"), pod(2, 8, "lost")),
        factor=10,
    )
    assert found.back_after == 320
    assert outcome(sent("a"), *run("a", 1, 2, 5)).back_after == 0


def test_whether_the_worker_of_a_doubled_task_lived_when_it_started_again() -> None:
    events = [
        *(sent("acknowledged too late"), sent("beside the first"), sent("once")),
        *(*run("acknowledged too late", 1, 2, 5), *run("acknowledged too late", 2, 9, 10)),
        *(*run("beside the first", 3, 2, 20), *run("beside the first", 2, 9, 10)),
        *run("once", 2, 2, 3),
    ]
    found = doubled_tasks(sorted(events, key=lambda event: event.at), (pod(1, 6, "lost"), pod(3)))
    assert found == {"acknowledged too late": False, "beside the first": True}
