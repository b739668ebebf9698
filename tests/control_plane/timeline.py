"""A run over time: how many pods each queue had, how many of its tasks waited, and how many ran."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from tests.control_plane.accounting import attempts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.control_plane.accounting import PodTime
    from tests.control_plane.journal import Event

POINTS = 120
"""A picture shows no more than that."""


def timeline(
    events: Sequence[Event],
    pods: Sequence[PodTime],
    consumers: Mapping[str, Sequence[str]],
    queues: Sequence[str],
    *,
    began: float,
    end: float,
    factor: float,
) -> dict[str, Any]:
    """Return ``step``, in seconds of the site, and for each queue its numbers at 0, ``step``, twice that, …

    ``pods`` are those that work for the queue, whatever else they work for; ``consumers`` says which those are.
    """
    step = max(10, math.ceil((end - began) * factor / POINTS / 10) * 10)
    moments = [began + index * step / factor for index in range(int((end - began) * factor / step) + 1)]
    attempts = attempts_of(events, pods)
    queue_of = {event.task: event.queue for event in events if event.event in {"sent", "started"}}
    first = {attempt.task: attempt.started for attempt in reversed(attempts)}
    found = {}
    for queue in queues:
        own = [attempt for attempt in attempts if queue_of[attempt.task] == queue]
        due = [
            (event.at + event.countdown, first.get(event.task, math.inf))
            for event in events
            if event.event == "sent" and event.queue == queue
        ]
        working = [
            (pod.started, pod.ended or math.inf)
            for pod in pods
            if pod.started and queue in consumers.get(pod.deployment, ())
        ]
        found[queue] = {
            "pods": _open(working, moments),
            "waiting": _open(due, moments),
            "running": _open([(run.started, min(run.finished, run.killed)) for run in own], moments),
        }
    return {"step": step, "queues": found}


def _open(spans: Iterable[tuple[float, float]], moments: Sequence[float]) -> list[int]:
    spans = list(spans)
    starts, ends = sorted(start for start, _ in spans), sorted(max(span) for span in spans)
    return [bisect_right(starts, moment) - bisect_right(ends, moment) for moment in moments]
