"""Puts back orphans, the messages in flight that no worker has: after two looks, each followed by a list of pods."""

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
"""The time between two looks. An acknowledgement that was on its way at the first one has arrived at the second."""
OLDER_SECONDS = 60


class Orphans(Record):
    """The outcome for the orphans under one key."""

    key: str
    queues: Mapping[str, int]
    """The number that was put back on each queue."""
    left: int = 0
    """The number that no worker named as its own, and that were left all the same."""
    reason: str = ""
    """Why they were left."""


def restore_orphans(
    site: Site,
    worker: str | None,
    *,
    older: int,
    pods: Callable[[], list[LivePod]],
    ask: Callable[[Mapping[str, Any], list[LivePod]], Mapping[str, Any]],
) -> list[Orphans]:
    """Put back the orphans of one worker or of all, and return the outcome for each key.

    Raises UserError where the pods can't be listed or asked.
    """
    keys = sorted(users(site)) if worker is None else [key_of(site, worker)]
    request = {"action": "orphans", "keys": keys, "only": worker is not None, "older": older}
    looks: list[Mapping[str, Any]] = []
    live_pods = pods()
    for number in range(2):
        if number:
            time.sleep(APART_SECONDS)
        look = ask(request, live_pods)
        # After the question: a pod that took one of these messages answered it, didn't, or is gone.
        live_pods = pods()
        looks.append({**look, "pods": names_of_workers(live_pods)})
        if not look["messages"]:
            return []
    answer = ask({"action": "put_back", "looks": looks}, live_pods)
    return [
        Orphans(key=entry["key"], queues=entry["restored"], left=entry["left"], reason=entry["reason"])
        for entry in answer["keys"]
    ]


def orphans_text(outcomes: Sequence[Orphans], older: int) -> str:
    """Return a line for each queue that tasks were put back on, and for each key under which some were left."""
    lines = []
    for outcome in outcomes:
        lines += [
            f"{outcome.key}: {plural(count, 'task')} put back on {queue}"
            for queue, count in sorted(outcome.queues.items())
        ]
        if outcome.left:
            lines.append(f"{outcome.key}: {plural(outcome.left, 'task')} left: {outcome.reason}")
    return "\n".join(
        lines or [f"Nothing that was taken more than {older} s ago, since Redis started, is in nobody's hand."]
    )


def orphans_json(outcomes: Sequence[Orphans]) -> str:
    """Return the outcomes as JSON."""
    return json.dumps(record_data(outcomes), indent=2)
