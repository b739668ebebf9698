"""Tasks that don't fit the worker that runs them: too long for its times, or in the way of short ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kustomizer.errors import WARNING, Problem
from kustomizer.rules.grace_period import KUBERNETES_DEFAULT
from kustomizer.site.queues import QueueRow
from kustomizer.system.wording import joined, plural
from kustomizer.tasks.model import SiteTasks, Task
from kustomizer.tasks.numbers import RunTime, amount, duration

LONG = 60
"""A task is long where one run in twenty takes this many seconds or more."""
SHORT = 10
"""A task is short where nineteen runs in twenty take no more seconds than this."""
OFTEN = 10
"""A short task counts as one from this many runs a day on: rarer ones may wait."""

_SHOWN = 3


def concerns(site_tasks: SiteTasks, rows: Iterable[QueueRow]) -> list[Problem]:
    """Return what doesn't fit, with the build's queues ``rows``."""
    row_of = {row.queue: row for row in rows if row.deployment}
    consumers = {queue: row.deployment for queue, row in row_of.items()}
    queues = {(task.service, task.name): task.queue_in_fact(consumers) for task in site_tasks.tasks}
    problems: list[Problem] = []
    for task in site_tasks.tasks:
        row = row_of.get(queues[task.service, task.name])
        if row is not None and task.numbers is not None and task.numbers.longest is not None:
            problems += _too_long(task, task.numbers.longest, row)
    return [*problems, *_in_the_way(site_tasks, queues), *_not_told(site_tasks)]


def is_long(task: Task) -> bool:
    """Tell whether a task was measured to be long."""
    p95 = task.numbers.p95 if task.numbers else None
    return p95 is not None and p95.least >= LONG


def is_short(task: Task) -> bool:
    """Tell whether a task was measured to be short, and runs often."""
    numbers = task.numbers
    p95 = numbers.p95 if numbers else None
    return bool(numbers and p95 and p95.most is not None and p95.most <= SHORT and numbers.per_day >= OFTEN)


def exceeds(longest: RunTime, seconds: float) -> bool:
    """Tell whether a run took longer, or may have, as far as the histogram tells."""
    return longest.least >= seconds or (longest.most is not None and longest.most > seconds)


def _too_long(task: Task, longest: RunTime, row: QueueRow) -> Iterator[Problem]:
    grace = row.guard.grace_period or KUBERNETES_DEFAULT
    name = f"{task.name} of {task.service}"
    if exceeds(longest, grace):
        yield Problem(
            severity=WARNING,
            message=f"{name}: the longest run took {longest}, and a pod of {row.deployment} that is stopped has "
            f"{duration(grace)} to finish",
            remedy="It is cut off then: raise terminationGracePeriodSeconds, or route it to a worker that has more",
        )
    seconds = row.guard.visibility_timeout
    late = row.guard.late if task.settings is None else task.settings.acks_late
    if seconds and late and exceeds(longest, seconds):
        yield Problem(
            severity=WARNING,
            message=f"{name}: the longest run took {longest}, and Redis hands a task of {row.deployment} out again "
            f"after {duration(seconds)}",
            remedy="It runs twice at a time then: raise visibilityTimeout above its longest run",
        )


def _in_the_way(site_tasks: SiteTasks, queues: Mapping[tuple[str, str], str]) -> Iterator[Problem]:
    tasks_of: dict[str, list[Task]] = {}
    for task in site_tasks.tasks:
        tasks_of.setdefault(queues[task.service, task.name], []).append(task)
    tasks_of.pop("", None)
    for queue, here in sorted(tasks_of.items()):
        long, short = [task for task in here if is_long(task)], [task for task in here if is_short(task)]
        if long and short:
            yield Problem(
                severity=WARNING,
                message=f"{queue}: {joined([_described(task) for task in long], most=_SHOWN)} can hold up "
                f"{plural(len(short), 'short task')}, which ran {amount(runs_a_day(short))} times a day there",
                remedy="Route the long ones to a queue of their own; `tutor-kustomizer advise` says which",
            )


def runs_a_day(tasks: Iterable[Task]) -> float:
    """Return how often tasks ran a day."""
    return sum(task.numbers.per_day for task in tasks if task.numbers)


def _described(task: Task) -> str:
    p95 = task.numbers.p95 if task.numbers else None
    return f"{task.name} (one run in twenty took {duration(p95.least) if p95 else ''} or more)"


def _not_told(site_tasks: SiteTasks) -> Iterator[Problem]:
    top = site_tasks.measured.top_bucket if site_tasks.measured else None
    longest = [task.numbers.longest for task in site_tasks.tasks if task.numbers and task.numbers.longest]
    cut = [time for time in longest if time.most is None]
    if top is not None and cut:
        yield Problem(
            severity=WARNING,
            message=f"{plural(len(cut), 'task')} ran for more than {duration(top)}, and Flower's metric doesn't tell "
            "how much more",
            remedy="Give Flower FLOWER_TASK_RUNTIME_METRIC_BUCKETS that reach further (docs/flower.md)",
        )
