"""A route of a task that the site doesn't have.

It has no effect, and nothing says so: the task that was meant goes where it went before. A name is misspelt, or the
task was renamed or removed by a new version of Open edX or of a plugin.

The rule needs the site's tasks: `tutor-kustomizer tasks --save OVERLAY` writes them to `celery-tasks.json` in the
overlay's directory ([tasks.md](../tasks.md)). Without that file it finds nothing, nor where the file lacks one of the
services. It looks at `EXPLICIT_QUEUES` and `CELERY_ROUTES` in the settings of lms, cms and their workers, and at full
names alone, not at patterns.

**Severity:** warning.

**What to do:** correct the name, or take the route out (`tutor-kustomizer route SERVICE TASK --remove`). Where the task
is newer than the file, save the tasks again.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.config.values import did_you_mean
from kustomizer.errors import WARNING, Problem
from kustomizer.site.model import Site
from kustomizer.tasks.task_file import SAVE_AGAIN

_MOST_COMPARED = 50
_PATTERN = frozenset("*?[")


def check(site: Site) -> Iterator[Problem]:
    """Find the routes of tasks that no service has."""
    known = site.tasks
    if known is None or {worker.service for worker in site.open_edx_workers} - set(known.services):
        return
    names = {task.name for task in known.tasks}
    in_order = sorted(names)
    reported = set()
    for route in site.routes:
        key = (route.namespace, route.task)
        if route.task in names or key in reported or _PATTERN & set(route.task):
            continue
        reported.add(key)
        message = f"{route.task} is routed to {route.queue}, and no service had a task of that name on {known.asked}"
        # To compare words takes a second for some hundred names of a thousand tasks.
        remedy = (len(reported) <= _MOST_COMPARED and did_you_mean(route.task, in_order)) or SAVE_AGAIN
        yield route.source.problem(message, remedy, severity=WARNING)
