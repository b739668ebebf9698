"""Putting back the messages in flight that nobody has: two looks from a pod, and the pods listed after each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kustomizer.cluster.in_flight import key_of, users
from kustomizer.cluster.pods import LivePod, names_of_workers
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.system.record_data import record_data
from kustomizer.system.wording import plural

APART_SECONDS = 10
"""Between two looks: a worker that acknowledges a task has done so by then, or Redis never heard of it."""
OLDER_SECONDS = 60


class Orphans(Record):
    """What became of the messages that nobody had, under one key."""

    key: str
    queues: Mapping[str, int]
    """How many were put back on each queue."""
    left: int = 0
    """How many nobody named as theirs, and were left all the same."""
    reason: str = ""
    """Why these were left."""


def restore_orphans(
    site: Site,
    worker: str | None,
    *,
    older: int,
    pods: Callable[[], list[LivePod]],
    ask: Callable[[Mapping[str, Any], list[LivePod]], Mapping[str, Any]],
) -> list[Orphans]:
    """Put back what nobody has, of one worker or of all; returns what became of the messages that nobody named.

    Raises UserError where the pods can't be listed or asked.
    """
    keys = sorted(users(site)) if worker is None else [key_of(site, worker)]
    request = {"action": "orphans", "keys": keys, "only": worker is not None, "older": older}
    looks: list[Mapping[str, Any]] = []
    there = pods()
    for number in range(2):
        if number:
            time.sleep(APART_SECONDS)
        found = ask(request, there)
        # After the question: whoever took one of these messages answered it, didn't, or is gone.
        there = pods()
        looks.append({**found, "pods": names_of_workers(there)})
        if not found["messages"]:
            return []
    answer = ask({"action": "put_back", "looks": looks}, there)
    return [
        Orphans(key=entry["key"], queues=entry["restored"], left=entry["left"], reason=entry["reason"])
        for entry in answer["keys"]
    ]


def orphans_text(found: Sequence[Orphans], older: int) -> str:
    """Return what was put back, and what was left and why, a line each."""
    lines = []
    for orphans in found:
        lines += [
            f"{orphans.key}: {plural(count, 'task')} put back on {queue}"
            for queue, count in sorted(orphans.queues.items())
        ]
        if orphans.left:
            lines.append(f"{orphans.key}: {plural(orphans.left, 'task')} left: {orphans.reason}")
    return "\n".join(
        lines or [f"Nothing that was taken more than {older} s ago, since Redis started, is in nobody's hand."]
    )


def orphans_json(found: Sequence[Orphans]) -> str:
    """Return the same as JSON."""
    return json.dumps(record_data(found), indent=2)
