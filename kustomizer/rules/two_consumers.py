"""A queue that two workers consume.

Which of them takes a task is chance: one meant for small tasks runs reports, and an autoscaler counts a queue that
another worker empties. It happens when Tutor's own worker still takes all queues beside workers for some of them, or
when two variants name the same queue.

**Severity:** warning.

**What to do:** name the queue in one worker only. Give that worker more pods where one isn't enough.

**What isn't seen:** whether the two use the same broker; workers that another build deploys.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the queues that more than one worker consumes."""
    for worker in site.workers:
        for queue in dict.fromkeys(worker.queues):
            rival = site.takers[worker.resource.namespace, queue]
            if rival is not worker:
                message = f"consumes {queue}, which {rival.resource.name} consumes, too: which of the two takes a "
                message += "task is chance"
                remedy = "Name the queue in one worker only"
                yield worker.resource.problem(message, remedy, field=f"{worker.field}.args", severity=WARNING)
