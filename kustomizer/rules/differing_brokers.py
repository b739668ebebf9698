"""A worker with another broker than the one that its service sends tasks to.

Tasks wait where the service puts them, and the worker looks elsewhere: nothing fails, and nothing is run. It happens
when a variable (`CELERY_BROKER_URL`), an option (`--broker`) or a settings file is given to the worker and not to
lms or cms themselves, or the other way round.

**Severity:** warning.

**What to do:** give both the same broker, best in Tutor's configuration (`REDIS_HOST`, `REDIS_PORT`,
`OPENEDX_CELERY_REDIS_DB`). A worker that is meant for other senders can stay as it is: set the finding aside
with a reason.

**What isn't seen:** two names of one server, unless they are those of one Service (`redis`, `redis.openedx.svc`); a
broker that a Secret outside of the build or code of the image names.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import WARNING, Problem
from kustomizer.openedx.celery.broker_url import BrokerUrl
from kustomizer.openedx.celery.sender import sender_view
from kustomizer.openedx.celery.values import Known, Unknown
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.endpoint import one_name
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the workers of lms and cms that don't look where their service sends, where both are known."""
    for service in site.resources.of_kind("Deployment"):
        sender = sender_view(site.resources, service) if service.name in OPEN_EDX_SERVICES else None
        sent_to = _place(sender, service.namespace) if sender is not None else ""
        for worker in site.open_edx_workers if sent_to else ():
            if (worker.service, worker.resource.namespace) != (service.name, service.namespace):
                continue
            taken_from = _place(worker.celery, service.namespace) if worker.celery is not None else ""
            if worker.celery is not None and taken_from not in ("", sent_to):
                source = worker.celery.broker.source
                yield Problem(
                    message=f"takes tasks from {taken_from} ({source}), and {service.name} sends them to {sent_to}: "
                    "nobody runs them",
                    severity=WARNING,
                    resource=worker.resource.ref,
                    field=worker.field,
                    remedy=f"Give it and {service.name} one broker",
                )


def _place(celery: CeleryView, namespace: str) -> str:
    """Return the place of a broker without its credentials, empty where it isn't known."""
    broker, prefix = _sure(celery.broker), _sure(celery.key_prefix)
    if broker is None or prefix is None:
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
    return None if ".env" in value.source.field else value.otherwise
