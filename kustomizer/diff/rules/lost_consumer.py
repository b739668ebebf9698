"""A queue that loses its only consumer.

A worker consumed it before, and none does afterwards. Its tasks wait for ever: certificates aren't issued, grades
aren't computed, and nothing fails, so nobody notices.

**Severity:** error.

**What to do:** give the queue to another worker (`queues: [...]`), or a worker of its own again
(`spec.workers.lms.high: {}`). Where nothing sends to it any more, let the worker empty it before you remove the worker.

**What isn't seen:** workers that another build deploys; queues that only the application's own settings name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import Problem
from kustomizer.site.model import SiteWorker


def check(sides: Sides, _objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the queues that no worker consumes any more."""
    for queue, worker in lost_queues(sides):
        message = f"took {queue}, and no worker takes it afterwards: what is sent there waits for ever"
        remedy = "Give the queue to a worker, or let this one empty it before it goes"
        yield worker.resource.problem(message, remedy, field=f"{worker.field}.args")


def lost_queues(sides: Sides) -> Iterator[tuple[str, SiteWorker]]:
    """Yield each queue that loses its last consumer, with one worker that consumed it."""
    kept = {*sides.after.site.consumed}
    for worker in sides.before.site.workers:
        for queue in worker.queues:
            key = (worker.resource.namespace, queue)
            if key not in kept:
                kept.add(key)
                yield queue, worker
