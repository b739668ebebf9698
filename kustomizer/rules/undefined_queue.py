"""A queue that Celery refuses to name.

Where `CELERY_CREATE_MISSING_QUEUES` is off, Celery knows the queues of `CELERY_QUEUES` and no others. A worker that
names another one in `--queues` ends when it starts ("Trying to select queue subset of …"), and sending a task there
fails.

**Severity:** error; warning where settings compute it.

**What to do:** add the queue to `CELERY_QUEUES` in the settings of the service, or take
`CELERY_CREATE_MISSING_QUEUES: false` out.

**What isn't seen:** queues that code of Open edX's or of a plugin names when it sends a task.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.openedx.celery.values import Known
from kustomizer.openedx.unheard_tasks import doubt, refusal, undefined
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the workers that don't start with their queues, and the routes that lead nowhere."""
    seen = set()
    for worker in site.open_edx_workers:
        celery = worker.celery
        if celery is None:
            continue
        named = worker.queues if celery.command.queues is not None else ()
        missing, unknown = undefined(site.resources, celery, named)
        if unknown is not None:
            yield doubt(celery, unknown).replace(resource=worker.resource.ref, field=worker.field)
            continue
        if missing:
            message, remedy = refusal(celery, missing)
            yield worker.resource.problem(f"the worker doesn't start: {message}", remedy, field=worker.field)
        place = (worker.resource.namespace, worker.service)
        routes = celery.routes
        if place in seen or not isinstance(routes, Known):
            continue
        seen.add(place)
        missing, _ = undefined(site.resources, celery, routes.value.values())
        for task, queue in routes.value.items() if missing else ():
            if queue in missing:
                message, remedy = refusal(celery, [queue])
                yield routes.source.problem(f"{worker.service} can't send {task}: {message}", remedy)
