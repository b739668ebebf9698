"""A worker's queue that no task of the site goes to.

Its worker waits for nothing, and takes memory where it isn't scaled to zero: the route that it was made for is missing,
or another one won.

The rule needs the site's tasks: `tutor-kustomizer tasks --save OVERLAY` writes them to `celery-tasks.json` in the
overlay's directory ([tasks.md](../tasks.md)). Without that file it finds nothing. It knows where a call without options
of its own goes, and what settings in this build route.

**Severity:** note, since code that names the queue when it calls a task, `apply_async(queue=…)`, isn't seen.

**What to do:** route a task there (`tutor-kustomizer route`), or take the worker out
([keda.md](../keda.md#taking-a-worker-away)). Where code names the queue, set the finding aside
([ignoring.md](../ignoring.md)).
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import INFO, Problem
from kustomizer.site.model import Site
from kustomizer.system.wording import plural


def check(site: Site) -> Iterator[Problem]:
    """Find the queues that nothing is known to go to."""
    known = site.tasks
    if known is None:
        return
    used = known.queues | {route.queue for route in site.routes}
    open_questions = sum(not task.destination for task in known.tasks)
    but = f"; where {plural(open_questions, 'task')} went isn't known" if open_questions else ""
    for worker in site.open_edx_workers:
        if worker.service not in known.services:
            continue
        for queue in worker.queues:
            if queue not in used:
                message = f"no task went to {queue} by itself on {known.asked}{but}"
                remedy = "Route one there, or do without this worker, unless code names the queue in its calls"
                yield worker.resource.problem(message, remedy, field=worker.field, severity=INFO)
