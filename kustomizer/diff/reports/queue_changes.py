"""The changes in queues and their workers, a row for each pair."""

from __future__ import annotations

from collections.abc import Iterable

from kustomizer.diff.model import Comparison
from kustomizer.record import Record
from kustomizer.site.legend import counting
from kustomizer.site.queues import QueueRow
from kustomizer.system.visible import visible

_IN_FLIGHT = "in flight: "


class QueueChange(Record):
    """A queue and one of its workers: how the worker scales before and after, empty on a side that lacks the pair."""

    queue: str
    worker: str
    before: str
    after: str
    sign: str
    """``-``, ``+`` or ``~``; ``!`` where no worker takes the queue any more; a blank where nothing differs."""


def queue_changes(comparison: Comparison, *, every: bool = False) -> list[QueueChange]:
    """Return the queues that differ, or with ``every`` all; by namespace, service, queue and worker, nobody last."""
    before, after = ({_key(row): row for row in side} for side in comparison.queues)
    several = len({row.namespace for side in comparison.queues for row in side}) > 1
    keys = sorted({**before, **after}, key=lambda key: (key[0], key[1], key[3], not key[2], key[2]))
    changes = []
    for key in keys:
        old, new = _scales(before.get(key)), _scales(after.get(key))
        # Parts that stay the same aren't shown.
        differs = bool(old and new and old != new)
        change = QueueChange(
            queue=visible(_queue(key, several=several)),
            worker=visible(key[2]) or "nobody",
            before="; ".join(part for part in old if not (differs and part in new)),
            after="; ".join(part for part in new if not (differs and part in old)),
            sign="~" if differs else _sign(old, new, worker=key[2]),
        )
        if every or old != new:
            changes.append(change)
    return changes


def queue_legend(changes: Iterable[QueueChange]) -> list[str]:
    """Return the meaning of each word about tasks in flight that ``changes`` use."""
    parts = (part for change in changes for side in (change.before, change.after) for part in side.split("; "))
    return counting(part.removeprefix(_IN_FLIGHT) for part in parts if part.startswith(_IN_FLIGHT))


def _sign(old: list[str], new: list[str], *, worker: str) -> str:
    if old and new:
        return " "
    return "-" if not new else "+" if worker else "!"


def _key(row: QueueRow) -> tuple[str, str, str, str]:
    return (row.namespace, row.service, row.deployment, row.queue)


def _queue(key: tuple[str, str, str, str], *, several: bool) -> str:
    namespace, service, _worker, queue = key
    name = queue or f"what {service or 'its'} settings name"
    return f"{namespace}/{name}" if several else name


def _scales(row: QueueRow | None) -> list[str]:
    if row is None:
        return []
    if not row.deployment:
        return ["tasks wait for ever"]
    guard = row.guard
    parts = [
        visible(str(row.scaling)),
        f"1 per {row.scaling.list_length} queued" if row.scaling.list_length else "",
        "no guard" if guard.late is False else "",
        f"{_IN_FLIGHT}{visible(guard.counted)}" if guard.counted and guard.late is not False else "",
        f"{guard.grace_period}s grace" if guard.grace_period and guard.late is not False else "",
    ]
    return [part for part in parts if part]
