"""A queue that tasks are sent to, and that no worker consumes.

Tasks on it wait for ever: certificates aren't issued, grades aren't computed, and nothing fails, so that nobody
notices.

The rule knows the queues that Open edX itself sends to (`default`, `high` and `high_mem` of lms; `default`, `high`
and `low` of cms) and those that the settings of lms, cms and their workers route tasks to: `EXPLICIT_QUEUES`,
`CELERY_ROUTES`, the settings of `lms.env.yml` and `cms.env.yml` that Open edX makes routes of
(`BULK_EMAIL_ROUTING_KEY` and its siblings), and a queue among the `options` of an entry in `CELERYBEAT_SCHEDULE`. A
queue has a consumer when a worker of the same namespace names it in `--queues`, or names none and so takes those of
its service. It may run in any workload, in a container or a sidecar.

**Severity:** error; a warning for Tutor's own route to `edx.lms.core.default` (`ACE_ROUTING_KEY`) where a site has
renamed that queue, which is so without a split, too; a note where settings compute the routes, and where it can't be
known which queues a worker of the service takes (`--queues=$QUEUES` in a shell script, `celery multi`, a script or a
supervisor that starts it).

**What to do:** give the queue a worker (`spec.workers.lms.high: {}`), or add it to one (`queues: [...]`). With
tutor-contrib-celery this happens whenever only some of the queues are configured.

**What isn't seen:** queues that code of Open edX's or of a plugin computes, and workers that another build deploys.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.workers import KNOWN_QUEUES
from kustomizer.site.model import Site

_OPEN_EDX_QUEUES = frozenset(queue for queues in KNOWN_QUEUES.values() for queue in queues)


def check(site: Site) -> Iterator[Problem]:
    """Find the queues without a consumer."""
    consumed = site.consumed
    reported: set[tuple[str | bool, ...]] = set()
    for resource in site.resources.of_kind("Deployment"):
        for queue in site.open_edx_queues(resource.namespace, resource.name):
            if (resource.namespace, queue) not in consumed:
                reported.add((resource.namespace, queue))
                doubtful = site.doubt(resource.namespace, resource.name)
                if doubtful is not None:
                    message = f"whether it consumes {queue} isn't known: {doubtful.reason}"
                    remedy = "Start it as `celery … worker --queues=…`, in plain words"
                    yield doubtful.resource.problem(message, remedy, field=doubtful.field, severity=INFO)
                    continue
                message = f"{resource.name} sends tasks to {queue}, and no worker consumes it: they wait for ever"
                yield resource.problem(message, _remedy(site, resource, queue))
    for route in site.routes:
        key = (route.namespace, route.queue)
        # As Tutor writes it (ACE_ROUTING_KEY), whatever the site calls its queues: it is so without a split.
        is_tutors = route.queue in _OPEN_EDX_QUEUES and ".env.yml" in route.source.field
        if key in consumed or key in reported or (*key, is_tutors) in reported:
            continue
        reported.add((*key, is_tutors))
        message = f"{route.task} is routed to {route.queue}, and no worker consumes it: it is never run"
        remedy = "Route it to a queue that a worker consumes, or give the queue a worker"
        if is_tutors:
            remedy = "State the routing key with the site's own name, too (a plugin's lms-env or cms-env), or give the "
            remedy += "queue a worker"
        yield route.source.problem(message, remedy, severity=WARNING if is_tutors else ERROR)
    yield from _unknown_routes(site)


def _unknown_routes(site: Site) -> Iterator[Problem]:
    """Yield a note for each service whose settings compute its routes."""
    for _, celery in site.senders:
        routes = celery.routes
        if isinstance(routes, Unknown) and routes.source.line and routes.otherwise is None:
            message = f"which tasks of {celery.service} it routes to which queue isn't known: {routes.reason}"
            remedy = "Write the routes in plain words, or let `tutor-kustomizer tasks` ask the running site"
            yield routes.source.problem(message, remedy, severity=INFO)


def _remedy(site: Site, service: Resource, queue: str) -> str:
    """Return what can be done here: a worker that can't be split gets no copies."""
    name = f"{service.name}-worker"
    place = (name, service.namespace)
    emitted = [worker for worker in site.workers if (worker.resource.name, worker.resource.namespace) == place]
    if not emitted:
        return f"Deploy a worker that names it in --queues: there is no {name} in this build that could be split"
    if all(worker.obstacle for worker in emitted):
        return f"Name {queue} in its --queues. {name} can't be split in spec.workers: {emitted[0].obstacle}"
    variant = queue.rpartition(".")[2]
    # A variant's own name says its queue where that is called as Open edX has it.
    queues = "" if queue == f"edx.{service.name}.core.{variant}" else f"queues: [{queue}]"
    return f"Give {queue} a worker: spec.workers.{service.name}.{variant}: {{{queues}}}"
