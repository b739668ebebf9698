"""A built site: its Celery workers, and the settings that each of them loads."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence, Set as AbstractSet
from typing import Any

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import Problem
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.openedx.celery.broker_url import BrokerUrl
from kustomizer.openedx.celery.edx_platform import VARIANTS
from kustomizer.openedx.celery.sender import sender_view
from kustomizer.openedx.celery.values import Known, Source, Unknown
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.endpoint import UNACKED
from kustomizer.openedx.own_settings import REDIS
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT, KNOWN_QUEUES, EmittedWorker, pod_field, workers_of
from kustomizer.record import Record
from kustomizer.tasks.model import SiteTasks


class SiteWorker(Record):
    """A container that runs a Celery worker, with the settings that it loads."""

    emitted: EmittedWorker
    celery: CeleryView | None = None
    """What its Celery will do, where its settings are Open edX's."""
    queues: tuple[str, ...] = ()
    """The queues that it is known to consume."""
    doubt: str = ""
    """Why it isn't known which queues it takes, empty where it is."""
    unacked_key: str = UNACKED
    """The hash in Redis where its tasks in flight are."""
    is_key_known: bool = True
    """Whether nothing of the build names one that only a running pod knows."""
    key_prefix: str | None = None
    """What its settings put before every key in Redis (global_keyprefix), None where they don't say."""
    own_visibility_timeout: int | None = CELERYS_VISIBILITY_TIMEOUT
    """Seconds, None where they aren't known or never end.

    Of workers that share an in-flight key the shortest counts, see Site.visibility_timeout().
    """
    soft_shutdown: int | None = None
    late: bool = False
    """Whether its settings say that a task is acknowledged when it is done (CELERY_ACKS_LATE)."""
    rejects: bool = False
    """Whether they say that a task whose process was killed is put back (CELERY_REJECT_ON_WORKER_LOST)."""

    @property
    def resource(self) -> Resource:
        """Its Deployment."""
        return self.emitted.resource

    @property
    def service(self) -> str:
        """The service whose tasks it runs: lms, cms, or another application."""
        return self.emitted.service

    @property
    def is_open_edx(self) -> bool:
        """Whether its queues and settings are Open edX's."""
        return self.service in OPEN_EDX_SERVICES

    @property
    def broker(self) -> BrokerUrl | None:
        """The broker that it connects to, None where only a running pod knows."""
        broker: BrokerUrl | None = _likely(self.celery.broker) if self.celery is not None else None
        return broker

    @property
    def uses_tls(self) -> bool | None:
        """Whether it connects to Redis by TLS, None where only a running pod knows."""
        if self.celery is None or self.broker is None:
            return None
        stated = self.broker.transport == "rediss" or any(name.startswith("ssl_") for name, _ in self.broker.query)
        return stated or (bool(self.celery.use_ssl.value) if isinstance(self.celery.use_ssl, Known) else None)

    @property
    def transport(self) -> str:
        """What kind of broker it connects to, empty where only a running pod knows."""
        return "" if self.broker is None else self.broker.transport

    @property
    def is_on_redis(self) -> bool:
        """Whether its broker is a Redis, as Tutor's is; so is one that only a running pod knows."""
        return self.transport in REDIS

    @property
    def obstacle(self) -> str:
        """Why ``spec.workers`` can't split it, empty where nothing is known that is in the way."""
        if self.resource.kind != "Deployment":
            return f"{self.resource.kind} {self.resource.name} is no Deployment"
        if self.emitted.listed != "containers":
            return f"it is a sidecar ({self.field})"
        return self.emitted.command_line.uneditable

    @property
    def field(self) -> str:
        """The path of its container."""
        return self.emitted.field


class RoutedTask(Record):
    """A task that settings send to a queue."""

    task: str
    queue: str
    namespace: str
    source: Source
    """What says so."""


class Doubt(Record):
    """A worker of which it isn't known which queues it takes, and why."""

    resource: Resource
    field: str
    reason: str


class Site:
    """All resources of one build, and what is known of its workers."""

    def __init__(
        self,
        resources: Resources,
        warnings: Sequence[Problem] = (),
        stale: Sequence[Problem] = (),
        *,
        for_flux: bool = False,
        tasks: SiteTasks | None = None,
    ) -> None:
        """Read ``resources``; ``warnings`` are what the function said when it made them, ``tasks`` what was saved.

        ``stale`` is what was found out about the files that they were built from.
        """
        self.warnings = warnings
        self.stale = stale
        self.for_flux = for_flux
        self.tasks = tasks
        # Findings, and their words, don't depend on the order in which kustomize printed the resources.
        self.resources = Resources(sorted(resources, key=lambda item: item.identity))
        self.workers: Sequence[SiteWorker] = [
            self._with_settings(emitted)
            if emitted.service in OPEN_EDX_SERVICES
            else SiteWorker(emitted=emitted, queues=emitted.queues or ())
            for emitted in workers_of(self.resources)
        ]
        self._open_edx_queues: dict[tuple[str, str], tuple[str, ...]] = {}
        self._workers_of: dict[tuple[str, str, str], list[SiteWorker]] = {}
        self._shortest_timeouts: dict[tuple[str, str], int] = {}
        for worker in self.workers:
            resource, shared = worker.resource, (worker.resource.namespace, worker.unacked_key)
            self._workers_of.setdefault((resource.kind, resource.name, resource.namespace), []).append(worker)
            seconds = worker.own_visibility_timeout
            if seconds is not None:
                self._shortest_timeouts[shared] = min(seconds, self._shortest_timeouts.get(shared, seconds))

    @functools.cached_property
    def open_edx_workers(self) -> list[SiteWorker]:
        """The workers of lms and cms."""
        return [worker for worker in self.workers if worker.is_open_edx]

    @property
    def consumed(self) -> AbstractSet[tuple[str, str]]:
        """The queues that a worker takes, each with the namespace of that worker."""
        return self.takers.keys()

    @functools.cached_property
    def takers(self) -> Mapping[tuple[str, str], SiteWorker]:
        """The first worker that takes a queue, by its namespace and the queue."""
        takers: dict[tuple[str, str], SiteWorker] = {}
        for worker in self.workers:
            for queue in worker.queues:
                takers.setdefault((worker.resource.namespace, queue), worker)
        return takers

    def doubt(self, namespace: str, service: str) -> Doubt | None:
        """Return the worker of ``service`` of which nobody can tell the queues that it takes, None without one."""
        for worker in self.workers:
            if worker.doubt and (worker.service, worker.resource.namespace) == (service, namespace):
                return Doubt(resource=worker.resource, field=worker.field, reason=worker.doubt)
        name = f"{service}-worker"
        if service not in OPEN_EDX_SERVICES or self.workers_of("Deployment", name, namespace):
            return None
        # A script or a supervisor may start it.
        reason = "its command line has no `celery … worker`"
        unseen = self.resources.find("Deployment", name, namespace)
        return next((Doubt(resource=item, field=pod_field(item), reason=reason) for item in unseen), None)

    def open_edx_queues(self, namespace: str, service: str) -> tuple[str, ...]:
        """Return the queues that Open edX's own code sends to, by the names that the site has for them."""
        if (namespace, service) not in self._open_edx_queues:
            self._open_edx_queues[namespace, service] = self._queues_of_open_edx(namespace, service)
        return self._open_edx_queues[namespace, service]

    def _queues_of_open_edx(self, namespace: str, service: str) -> tuple[str, ...]:
        for worker in self.open_edx_workers if service in VARIANTS else ():
            if worker.celery is not None and (worker.service, worker.resource.namespace) == (service, namespace):
                names = [_likely(worker.celery.queue_of(variant)) for variant in VARIANTS[service]]
                if all(isinstance(name, str) and name for name in names):
                    # What nothing routes goes to Celery's default queue, which a site may set by itself.
                    default = _likely(worker.celery.default_queue)
                    return tuple(dict.fromkeys([*names, default] if isinstance(default, str) and default else names))
        return KNOWN_QUEUES.get(service, ())

    def visibility_timeout(self, worker: SiteWorker) -> int | None:
        """Return after how many seconds Redis hands a task of ``worker`` out again, None where nobody can tell."""
        return self._shortest_timeouts.get((worker.resource.namespace, worker.unacked_key))

    def workers_of(self, kind: str, name: str, namespace: str) -> Sequence[SiteWorker]:
        """Return the workers that run in the pods of one workload."""
        return self._workers_of.get((kind, name, namespace), ())

    @functools.cached_property
    def senders(self) -> Sequence[tuple[str, CeleryView]]:
        """What the Celery of lms and of cms themselves does, each with its namespace."""
        services = (item for item in self.resources.of_kind("Deployment") if item.name in OPEN_EDX_SERVICES)
        views = ((service.namespace, sender_view(self.resources, service)) for service in services)
        return [(namespace, view) for namespace, view in views if view is not None]

    @functools.cached_property
    def routes(self) -> Sequence[RoutedTask]:
        """The routes in the settings of lms, cms and their workers, which send tasks: first those of lms and cms.

        A schedule may have routes of its own.
        """
        workers = [(worker.resource.namespace, worker.celery) for worker in self.open_edx_workers]
        return [
            RoutedTask(task=task, queue=queue, namespace=namespace, source=source)
            for namespace, celery in (*self.senders, *workers)
            if celery is not None
            for task, queue, source in (*celery.known_routes(), *celery.scheduled_routes())
        ]

    def _with_settings(self, emitted: EmittedWorker) -> SiteWorker:
        """Return a worker of Open edX's with what its Celery will do, by default where only a running pod knows."""
        celery = CeleryView(self.resources, emitted)
        key_option = celery.transport_option("unacked_key", UNACKED)
        key = _likely(key_option)
        prefix = _likely(celery.transport_option("global_keyprefix"))
        soft_shutdown = _likely(celery.soft_shutdown_timeout)
        queues = _likely(celery.queues)
        doubt = emitted.command_line.doubt
        if not doubt and queues is None and isinstance(celery.queues, Unknown) and emitted.command_line.queues:
            doubt = celery.queues.reason
        if doubt:
            queues = None
        return SiteWorker(
            emitted=emitted,
            celery=celery,
            queues=tuple(queues) if isinstance(queues, tuple) else (() if doubt else emitted.queues or ()),
            doubt=doubt,
            unacked_key=key if isinstance(key, str) and key else UNACKED,
            is_key_known=key is not None or bool(key_option.source.default),
            key_prefix=prefix if isinstance(prefix, str) else None,
            own_visibility_timeout=celery.visibility_seconds,
            soft_shutdown=soft_shutdown if type(soft_shutdown) is int and soft_shutdown else None,
            late=_likely(celery.acknowledges_late) is True,
            rejects=_likely(celery.rejects_on_worker_lost) is True,
        )


def _likely(value: Known | Unknown) -> Any:
    """Return a value, or what holds unless something unseen sets it; None where that isn't known either."""
    return None if value.likely is None else value.likely.value


AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def autoscalers(site: Site) -> list[Resource]:
    """Return what sets a number of pods."""
    return [resource for resource in site.resources.of_kind(*AUTOSCALERS) if all(scale_target(resource))]
