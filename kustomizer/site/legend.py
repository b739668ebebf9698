"""Says what the short words in a table of queues mean, those that are in it."""

from __future__ import annotations

from collections.abc import Iterable

from kustomizer.site.queues import QueueRow

_EACH = "each: the waiting tasks for which KEDA asks for one more pod."
_COUNTED = {
    "Zero": "Zero keeps the last pod while a task runs",
    "Slots": "Slots counts tasks that run as it counts those that wait",
    "Off": "Off counts no task that runs: its pod may be the one that goes",
    "Formula": "Formula is one of somebody else's, which counts them",
}
_UNGUARDED = "no guard: a task that runs is lost when its pod is killed"
_GRACE = "seconds are what a pod that stops has to finish its tasks"


def counting(words: Iterable[str]) -> list[str]:
    """Return a sentence about those ``words`` that say how KEDA counts tasks in flight."""
    explained = _explained(words)
    return [f"In flight: {'; '.join(explained)}."] if explained else []


def legend(rows: Iterable[QueueRow]) -> list[str]:
    """Return a sentence for each column of a table of ``rows`` with short words."""
    shown = [row for row in rows if row.deployment]
    words = _explained(counted(row) for row in shown)
    words += [_UNGUARDED] if any(row.guard.late is False for row in shown) else []
    words += [_GRACE] if any(row.guard.late is not False and row.guard.grace_period for row in shown) else []
    sentences = [_EACH] if any(row.scaling.list_length for row in shown) else []
    return [*sentences, *([f"in flight: {'; '.join(words)}."] if words else [])]


def counted(row: QueueRow) -> str:
    """Return how KEDA counts a worker's tasks in flight, where that is shown."""
    return "" if row.guard.late is False else row.guard.counted


def _explained(words: Iterable[str]) -> list[str]:
    present = set(words)
    return [text for word, text in _COUNTED.items() if word in present]
