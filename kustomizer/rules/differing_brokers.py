"""A worker that looks elsewhere than where lms or cms send its tasks.

Tasks wait where they were put, and the worker looks elsewhere: nothing fails, and nothing is run. It happens

- when a variable (`CELERY_BROKER_URL`), an option (`--broker`) or a settings file is given to the worker and not to
  lms or cms themselves, or the other way round;
- when lms and cms differ in the broker, in its database or in `global_keyprefix`: each sends tasks to the default queue
  of the other (`ALTERNATE_WORKER_QUEUES`), and to those that `EXPLICIT_QUEUES` names;
- when they differ in `sep` or `priority_steps` of the transport's options, and the settings of the sender have
  priorities: a task with a priority is put on a list that the worker doesn't look on.

**Severity:** warning.

**What to do:** give both the same broker and options, best in Tutor's configuration (`REDIS_HOST`, `REDIS_PORT`,
`OPENEDX_CELERY_REDIS_DB`) and in one patch for both services. A worker that is meant for other senders can stay as it
is: set the finding aside with a reason.

**What isn't seen:** two names of one server, unless they are those of one Service (`redis`, `redis.openedx.svc`); a
broker that a Secret outside of the build or code of the image names; a priority that code gives a task, where the
sender's settings have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.celery.broker_url import BrokerUrl
from kustomizer.openedx.celery.sender import sender_view
from kustomizer.openedx.celery.transport import SEPARATOR
from kustomizer.openedx.celery.values import Known, Unknown
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.celery_broker import is_environments
from kustomizer.openedx.endpoint import one_name
from kustomizer.site.model import Site, SiteWorker


def check(site: Site) -> Iterator[Problem]:
    """Find the workers of lms and cms that don't look where lms or cms send, where both are known."""
    for service in site.resources.of_kind("Deployment"):
        sender = sender_view(site.resources, service) if service.name in OPEN_EDX_SERVICES else None
        if sender is None:
            continue
        for worker in site.open_edx_workers:
            is_near = worker.celery is not None and worker.resource.namespace == service.namespace
            sent = _sent(sender, worker) if is_near else []
            problem = _problem(sender, service, worker, sent) if sent else None
            if problem is not None:
                yield problem


def _sent(sender: CeleryView, worker: SiteWorker) -> list[str]:
    """Return the queues of a worker that a service sends tasks to."""
    if worker.service == sender.service:
        return [*worker.queues]
    queues, routes = _sure(sender.queues), _sure(sender.routes)
    named = {*(queues.value if queues else ()), *(routes.value.values() if routes else ())}
    return [queue for queue in worker.queues if queue in named]


def _problem(sender: CeleryView, service: Resource, worker: SiteWorker, queues: list[str]) -> Problem | None:
    celery = worker.celery
    assert celery is not None  # noqa: S101 - the caller has looked
    sent_to, taken_from = _place(sender, service.namespace), _place(celery, service.namespace)
    if not sent_to or not taken_from:
        return None
    tasks = "them" if worker.service == service.name else f"tasks of {', '.join(queues)}"
    if sent_to != taken_from:
        message = (
            f"takes tasks from {taken_from} ({celery.broker.source}), and {service.name} sends {tasks} to {sent_to}"
        )
    else:
        missed, source = _missed(sender, celery, queues)
        if not missed:
            return None
        message = f"doesn't look on {missed}, where {service.name} puts tasks with a priority ({source})"
    remedy = f"Give it and {service.name} one broker, and the same options of its transport"
    return worker.resource.problem(f"{message}: nobody runs them", remedy, field=worker.field, severity=WARNING)


def _missed(sender: CeleryView, celery: CeleryView, queues: list[str]) -> tuple[str, str]:
    """Return the first list that a service puts tasks on and a worker doesn't look on, and what has it do so."""
    for queue in queues:
        # With no priority in the sender's settings all its tasks go to one list, whatever its steps would be.
        put, looked = _sure(sender.lists_of(queue)), _sure(celery.lists_of(queue, looked_on=True))
        missed = [name for name in put.value if name not in looked.value] if put and looked else []
        if put and looked and missed:
            return missed[0].replace(SEPARATOR, "\\x06\\x16"), str(put.source)
    return "", ""


def _place(celery: CeleryView, namespace: str) -> str:
    """Return the place of a broker without its credentials, empty where it isn't known."""
    broker, prefix = _sure(celery.broker), _sure(celery.key_prefix)
    if broker is None or prefix is None or "virtual_host" in broker.value.unknown:
        return ""
    url: BrokerUrl = broker.value
    hosts = ", ".join(sorted(one_name(host, namespace) + (f":{port}" if port else "") for host, port in url.hosts))
    where = url.virtual_host.strip("/")
    if url.is_redis and url.database is not None:
        where = str(url.database)
    keys = f" with the key prefix {prefix.value}" if prefix.value else ""
    kind = "redis" if url.transport == "rediss" else url.transport
    return f"{kind} at {hosts}/{where}{keys}"


def _sure(value: Known | Unknown) -> Known | None:
    """Return what is known; of what code of the image could change, as for any site, what holds otherwise."""
    if isinstance(value, Known):
        return value
    return None if is_environments(value.source) else value.otherwise
