"""What became of the tasks of a run, counted from its journal and from the kubelet's record of its pods.

*Lost* is a task that never finished. *Doubled* is one that finished twice, or started again although nobody had killed
the attempt before. A task that starts again after its pod or its process was killed is neither: somebody has to do it.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.control_plane.journal import Event

CUT_OFF = "cut off"
LOST = "lost"
P95 = 0.95


class PodTime(Record):
    """A pod that there was, in real seconds since the epoch; 0.0 is what hasn't happened."""

    name: str
    deployment: str
    created: float
    started: float
    ended: float
    how: str
    """As tests.control_plane.kubelet.Pod has it: "cut off" after its grace period, "lost" with its node, …"""


class Attempt(Record):
    """A run of a task: when it began, when it was done, and when it was killed; infinite is never."""

    task: str
    pod: str
    started: float
    finished: float = math.inf
    cut_off: bool = False
    """Killed because the pod's grace period was over."""
    pod_killed: float = math.inf
    """When its pod was killed, whether it was done by then or not."""

    @property
    def killed(self) -> float:
        """When it was killed: one that was done wasn't."""
        return math.inf if self.finished < math.inf else self.pod_killed


class Waits(Record):
    """How long the tasks of a queue waited for their start, in seconds of the site."""

    tasks: int
    never: int
    """How many of them never started; their wait is what it was when the run ended."""
    median: float
    p95: float
    worst: float


class Outcome(Record):
    """A run in numbers; times are the site's, which are ``factor`` times the machine's."""

    sent: int
    done: int
    lost: int
    doubled: int
    starts: int
    again: int
    """Tasks that were started again since their attempt had been killed."""
    cut_off: int
    """Attempts that were killed at the end of a grace period."""
    back_after: float
    """The longest time from a kill until the task started again; 0 where none did."""
    took: float
    """From the first task that was sent to the last that finished."""
    pod_seconds: float
    most_pods: int
    waits: Mapping[str, Waits]


def account(events: Sequence[Event], pods: Iterable[PodTime], *, began: float, end: float, factor: float) -> Outcome:
    """Count what became of the tasks between ``began`` and ``end``, which are real seconds since the epoch."""
    pods = list(pods)
    sent = {event.task: event for event in events if event.event == "sent"}
    attempts = attempts_of(events, pods)
    by_task: dict[str, list[Attempt]] = {task: [] for task in sent}
    for attempt in attempts:
        by_task.setdefault(attempt.task, []).append(attempt)
    finished = [attempt.finished for attempt in attempts if attempt.finished <= end]
    lost = [task for task, runs in by_task.items() if all(run.finished > end for run in runs)]
    doubled = [task for task, runs in by_task.items() if is_doubled(runs)]
    begin = min((event.at for event in sent.values()), default=began)
    return Outcome(
        sent=len(by_task),
        done=len(by_task) - len(lost),
        lost=len(lost),
        doubled=len(doubled),
        starts=len(attempts),
        again=sum(len(runs) > 1 and task not in doubled for task, runs in by_task.items()),
        cut_off=sum(attempt.cut_off for attempt in attempts),
        back_after=round(max((gap for runs in by_task.values() for gap in gaps(runs)), default=0.0) * factor, 1),
        took=round((max(finished, default=end) - begin) * factor, 1),
        pod_seconds=round(sum(lifetime(pod, began, end) for pod in pods) * factor, 1),
        most_pods=most_at_once((pod.created, pod.ended or end) for pod in pods if not 0 < pod.ended <= began),
        waits=_waits(sent, by_task, end, factor),
    )


def attempts_of(events: Iterable[Event], pods: Iterable[PodTime]) -> list[Attempt]:
    """Return every run of a task, in the order of their starts."""
    ends: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for pod in pods:
        if pod.how in {CUT_OFF, LOST}:
            ends[pod.name].append((pod.ended, pod.how == CUT_OFF))
    events = list(events)
    for event in events:
        if event.event == "killed":
            ends[event.pod].append((event.at, False))
    of = {kind: {event.attempt: event.at for event in events if event.event == kind} for kind in ("finished", "dying")}
    found = []
    for event in events:
        if event.event != "started":
            continue
        finished = of["finished"].get(event.attempt, math.inf)
        kills = [(at, grace) for at, grace in ends[event.pod] if event.at <= at]
        if event.attempt in of["dying"]:
            kills.append((of["dying"][event.attempt], False))
        pod_killed, grace = min(kills, default=(math.inf, False))
        found.append(
            Attempt(
                task=event.task,
                pod=event.pod,
                started=event.at,
                finished=finished,
                cut_off=grace and finished == math.inf,
                pod_killed=pod_killed,
            )
        )
    return sorted(found, key=lambda attempt: attempt.started)


def is_doubled(attempts: Sequence[Attempt]) -> bool:
    """Tell whether it started again although the attempt before hadn't been killed by then.

    One that finishes twice is among them: nobody has killed an attempt that finishes.
    """
    return any(before.killed > after.started for before, after in itertools.combinations(attempts, 2))


def doubled_tasks(events: Sequence[Event], pods: Iterable[PodTime]) -> dict[str, bool]:
    """Return the tasks that are doubled, and of each whether its worker lived when it started again.

    A worker that is killed when a task is done, and before it has acknowledged that, leaves it to be done again.
    """
    by_task: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts_of(events, pods):
        by_task[attempt.task].append(attempt)
    return {
        task: any(before.pod_killed > after.started for before, after in itertools.pairwise(runs))
        for task, runs in by_task.items()
        if is_doubled(runs)
    }


def gaps(attempts: Sequence[Attempt]) -> Iterator[float]:
    """Yield how many real seconds passed between the kill of each attempt and the start of the next one."""
    for before, after in itertools.pairwise(attempts):
        if before.killed < after.started:
            yield after.started - before.killed


def lifetime(pod: PodTime, began: float, end: float) -> float:
    """Return for how many real seconds there was a pod, from its creation to its end."""
    return max(0.0, min(pod.ended or end, end) - max(pod.created, began))


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """Return how many of the spans overlap, at most."""
    changes = sorted(change for start, stop in spans for change in ((start, 1), (stop, -1)))
    return max(itertools.accumulate(step for _, step in changes), default=0)


def _waits(
    sent: Mapping[str, Event], by_task: Mapping[str, Sequence[Attempt]], end: float, factor: float
) -> dict[str, Waits]:
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for task, event in sent.items():
        due = event.at + event.countdown
        starts = [attempt.started for attempt in by_task[task]]
        found[event.queue].append(((min(starts, default=end) - due) * factor, bool(starts)))
    return {queue: _summary(found[queue]) for queue in sorted(found)}


def _summary(waits: Sequence[tuple[float, bool]]) -> Waits:
    seconds = sorted(max(0.0, wait) for wait, _ in waits)
    return Waits(
        tasks=len(waits),
        never=sum(not started for _, started in waits),
        median=round(statistics.median(seconds), 1),
        p95=round(seconds[math.ceil(P95 * len(seconds)) - 1], 1),
        worst=round(seconds[-1], 1),
    )
