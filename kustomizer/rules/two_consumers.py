"""A queue that two workers consume.

Which of them takes a task is chance: one meant for small tasks runs reports, and an autoscaler counts a queue that
another worker empties. It happens when Tutor's own worker still takes all queues beside workers for some of them, or
when two variants name the same queue.

**Severity:** warning.

**What to do:** name the queue in one worker only. Give that worker more pods where one isn't enough.

A worker that is kept without pods takes nothing, and isn't counted ([stopped-worker](stopped-worker.md)).

**What isn't seen:** whether the two use the same broker; workers that another build deploys.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.openedx.stopped import stopped_by
from kustomizer.site.model import Site, SiteWorker


def check(site: Site) -> Iterator[Problem]:
    """Find the queues that more than one worker consumes."""
    takers: dict[tuple[str, str], SiteWorker] = {}
    for worker in site.workers:
        if stopped_by(site.resources, worker.resource) is not None:
            continue
        for queue in dict.fromkeys(worker.queues):
            rival = takers.setdefault((worker.resource.namespace, queue), worker)
            if rival is not worker:
                message = f"consumes {queue}, which {rival.resource.name} consumes, too: which of the two takes a "
                message += "task is chance"
                remedy = "Name the queue in one worker only"
                yield worker.resource.problem(message, remedy, field=f"{worker.field}.args", severity=WARNING)
