"""The results of `verify` as text for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kustomizer.cluster.verify import Difference, Verified
from kustomizer.cluster.verify_scaling import Scaled
from kustomizer.system.folding import fold, text_table
from kustomizer.system.record_data import record_data
from kustomizer.system.wording import plural


def verify_text(workers: Sequence[Verified], scaled: Sequence[Scaled], width: int) -> str:
    """Return a table of the workers and one of the ScaledObjects, and below them what differs."""
    parts = [text_table([("worker", "pod", "in force"), *map(_worker_line, workers)], width)]
    if scaled:
        headings = ("scaled worker", "ready", "active", "KEDA counts (Redis has, roughly)")
        parts.append(text_table([headings, *map(_scaled_line, scaled)], width))
    lines = [
        *(line for worker in workers for line in _difference_lines(worker.worker, worker.differences)),
        *(line for item in scaled for line in _difference_lines(item.name, item.differences)),
        *(f"{worker.worker}: {note}" for worker in workers for note in worker.notes),
    ]
    filled = ["\n".join(fold(line, width)) for line in lines]
    return "\n\n".join([*parts, *(["\n".join(filled)] if filled else [])])


def verify_json(workers: Sequence[Verified], scaled: Sequence[Scaled]) -> str:
    """Return all results as JSON."""
    return json.dumps(record_data({"workers": workers, "scaledObjects": scaled}), indent=2)


def _worker_line(worker: Verified) -> tuple[str, str, str]:
    count = len(worker.differences)
    in_force = "as configured" if not count else plural(count, "difference")
    return (worker.worker, worker.pod or worker.state, in_force if worker.pod or count else "")


def _scaled_line(scaled: Scaled) -> tuple[str, str, str, str]:
    counts = ", ".join(
        f"{count.trigger} {_number(count.keda)} ({_number(count.redis)})" for count in scaled.counts if count.list
    )
    return (scaled.worker or scaled.name, scaled.ready or "not known", scaled.active or "not known", counts)


def _number(count: float | None) -> str:
    return "?" if count is None else f"{count:g}"


def _difference_lines(name: str, differences: Sequence[Difference]) -> Iterator[str]:
    for difference in differences:
        remedy = f". {difference.remedy}" if difference.remedy else ""
        yield f"{name}: {difference.what}: configured: {difference.configured}; in force: {difference.in_force}{remedy}"
