"""A service that runs its tasks itself, and sends none.

With `CELERY_ALWAYS_EAGER`, in settings or in `lms.env.yml`, Celery runs a task where it is called: a request waits
until the report is made, and the web process has the memory for it. Its workers get nothing to do, however many queues
and pods they have. Any value counts that Python takes for true, the text `"false"` among them.

**Severity:** warning.

**What to do:** take the setting out; it is meant for development and tests. Where it is meant, the workers are not
needed: leave the service out of `spec.workers`, and set the finding aside.

`CELERY_TASK_ALWAYS_EAGER` is no name that Open edX's Celery reads, and nothing is said of it.

**What isn't seen:** what code of the image sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.openedx.celery.sender import sender_view
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.unheard_tasks import eager
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the services whose tasks get to no worker."""
    views: dict[tuple[str, str], CeleryView] = {}
    for worker in site.open_edx_workers:
        if worker.celery is not None:
            place = (worker.resource.namespace, worker.service)
            sender = next(iter(site.resources.find("Deployment", worker.service, place[0])), None)
            if place not in views:
                views[place] = (sender and sender_view(site.resources, sender)) or worker.celery
    for view in views.values():
        yield from eager(site.resources, view)
