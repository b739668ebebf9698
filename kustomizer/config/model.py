"""The CeleryWorkers object as typed records.

:mod:`kustomizer.config.load` reads one from a document, and merges the layers of a worker's settings.
"""

from __future__ import annotations

from kustomizer import API_VERSION, KIND
from kustomizer.config.types import (
    OPEN_EDX_SERVICES,
    PythonModule,
    QueueName,
    ServiceName,
    TaskName,
    VariantName,
    Version,
)
from kustomizer.config.values import Interval, JsonMap, Seconds
from kustomizer.config.worker import CELERY_PROBE, DEFAULT, Worker, WorkerSettings, worker_path
from kustomizer.errors import ResourceRef, Subject
from kustomizer.manifests.tree import lookup
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal

    from kustomizer.config.broker import Broker
    from kustomizer.config.flower import Flower, Monitoring

# Sections that most builds don't have, with their modules, which take 0.3 ms each to import.
RARE = {"Broker": "broker", "Flower": "flower", "Monitoring": "flower"}
NOTHING: JsonMap = {}
NO_KINDS: list[Any] = []


if not TYPE_CHECKING:  # mypy would believe that this module has every name

    def __getattr__(name: str) -> object:
        """Import the type of a rare section when a configuration has one (https://peps.python.org/pep-0562/)."""
        if name in RARE:
            return getattr(__import__(f"kustomizer.config.{RARE[name]}", fromlist=[name]), name)
        raise AttributeError(name)


class Route(Record):
    """The destination of a task."""

    queue: QueueName
    """The queue. A worker of this build has to consume it, of any service."""


class RestoreOrphans(Record):
    """A program in the cluster that puts back what a killed worker left in flight: `docs/in-flight.md`."""

    enabled: bool = False
    """Whether it runs, as the Deployment `celery-restore-orphans`. It may list the pods of its namespace, and nothing
    else. Only on Redis, and only with the pool `prefork`."""

    every_seconds: Interval = 60
    """Seconds between two looks, 10 or more. A task is put back when two looks in a row found nobody who has it."""


class Celery(Record):
    """Settings of Celery for all workers of lms and cms that are split."""

    late_acknowledgement: bool | None = None
    """Whether a task is acknowledged when it is done (`CELERY_ACKS_LATE`), so that a worker that is killed loses none.
    With RabbitMQ or SQS it has to be stated: there a delivery ends after a while, and the task is run again beside the
    first run. Default: `true`."""

    reject_on_worker_lost: bool | None = None
    """Whether a task whose process was killed goes back to the queue (`CELERY_REJECT_ON_WORKER_LOST`). A task that
    always kills its process then comes back for ever. Default: Open edX's."""

    retry_on_worker_lost: bool | None = None
    """Whether a task whose process was killed is retried, and fails when its `max_retries` are used up
    (`CELERY_RETRY_ON_WORKER_LOST`, Celery 5.7 and later; older ones pass over it). It comes before
    `rejectOnWorkerLost`. Default: Celery's, `false`."""

    soft_shutdown_timeout: Seconds | None = None
    """Seconds that tasks get to finish after a request for a cold shutdown (`CELERYD_SOFT_SHUTDOWN_TIMEOUT`, Celery 5.5
    and later). Default: none."""

    visibility_timeout: Seconds | None = None
    """Seconds after which Redis hands a running task to another worker as well. A worker's own `visibilityTimeout`,
    and that of `defaults`, win. Default: Celery's, 3600 s."""

    restore_orphans: RestoreOrphans = RestoreOrphans()
    """Tasks of a worker that was killed start again within minutes, and not after the visibility timeout. Off by
    default."""


class Scheduler(Record):
    """The scheduler (beat) that Tutor's worker runs, where a plugin has added one."""

    enabled: bool = False
    """Whether it gets a Deployment of its own, of one pod, in place of the worker: `lms-beat`."""

    resources: JsonMap | None = None
    """Its requests and limits. Default: the worker's."""


class Settings(Record):
    """The ConfigMaps that give workers and routing their Django settings."""

    annotations: dict[str, str] = NOTHING
    """Annotations of these ConfigMaps, for a GitOps controller that would prune the old one during a rollout."""

    modules: dict[ServiceName, PythonModule] = NOTHING
    """Django settings module to extend, by service, where `DJANGO_SETTINGS_MODULE` isn't Tutor's: `{lms:
    lms.envs.tutor.production}`."""

    names: Literal["Function", "Kustomize"] = "Function"
    """Who adds the hash to the names of the copies' ConfigMaps. `Kustomize` takes longer, and lets an outer layer patch
    or merge these ConfigMaps, or give them a suffix."""


class Spec(Record):
    """What to do with the site."""

    unassigned_queues: Literal["Error", "KeepOnDefault", "Ignore"] = "Error"
    """What to do with a queue that Tutor's worker consumed and no worker would consume any more: refuse the build, keep
    the queue on the default worker, or let its tasks wait for ever."""

    minimum_version: Version | None = None
    """Oldest version of this function that may build the site, in quotes; an older one refuses."""

    defaults: WorkerSettings = WorkerSettings()
    """Settings for all workers. A worker's own settings win."""

    workers: dict[ServiceName, dict[VariantName, Worker]] = NOTHING
    """The workers of each service to split. A service that isn't named stays as Tutor emitted it."""

    routing: dict[ServiceName, dict[TaskName, Route]] = NOTHING
    """Which task goes to which queue, by the service that sends it. Extends and overrides Open edX's
    `EXPLICIT_QUEUES`. Only lms and cms."""

    settings: Settings = Settings()
    """The ConfigMaps with Django settings."""

    copy_targeting: list[
        Literal[
            "HorizontalPodAutoscaler",
            "VerticalPodAutoscaler",
            "PodDisruptionBudget",
            "NetworkPolicy",
            "Service",
            "PodMonitor",
        ]
    ] = NO_KINDS
    """Kinds of objects that are copied for each new worker, if they target the worker that Tutor emits."""

    broker: Broker | None = None
    """Where the broker is, if Tutor's output doesn't say it."""

    celery: Celery = Celery()
    """Celery's settings for all workers."""

    scheduler: Scheduler | None = None
    """The scheduler of periodic tasks."""

    flower: Flower | None = None
    """Flower."""

    monitoring: Monitoring | None = None
    """Alerts."""


class Document(Record):
    """The configuration of Open edX's Celery workers, as a Kubernetes object that never reaches the cluster."""

    api_version: Literal["celery.openedx.io/v1alpha1"]
    """Version of this format."""

    kind: Literal["CeleryWorkers"]
    """Kind of the object."""

    metadata: JsonMap = NOTHING
    """Name, and the annotation by which kustomize finds the function. Other fields are free."""

    spec: Spec = Spec()
    """What to do with the site."""


class CeleryWorkers(Record, Subject):
    """A configuration that was read and checked."""

    name: str
    """The object's name."""

    spec: Spec
    """The ``spec``, with the layers of the workers' settings unmerged."""

    given: JsonMap
    """``spec`` as it was written. Layers are merged in this form, in which null differs from an absent field."""

    scaled: frozenset[tuple[str, str]] = frozenset()
    """The workers that KEDA scales, as services and variants."""

    @property
    def ref(self) -> ResourceRef:
        """The name of this object in messages."""
        return object_ref(self.name)

    def services(self) -> list[str]:
        """Return the services whose workers are split."""
        return list(self.spec.workers)

    def variants(self, service: str) -> list[str]:
        """Return the workers of a split service, the default one first, which is there even if it isn't named."""
        return [DEFAULT, *(variant for variant in self.spec.workers[service] if variant != DEFAULT)]

    def queues(self, service: str, variant: str) -> list[str]:
        """Return the queues that a worker consumes."""
        worker = self.spec.workers[service].get(variant)
        if worker is not None and worker.queues is not None:
            return worker.queues
        return [f"edx.{service}.core.{variant}"] if service in OPEN_EDX_SERVICES else []

    def layers(self) -> Iterator[tuple[str, WorkerSettings]]:
        """Yield ``defaults`` and each worker's own settings, unmerged, with their paths."""
        yield "spec.defaults", self.spec.defaults
        for service, workers in self.spec.workers.items():
            for variant, worker in workers.items():
                yield worker_path(service, variant), worker

    def origin(self, service: str, variant: str, *keys: str) -> str:
        """Return the path of the field that decides a worker's setting; the worker's own path if none is set."""
        own = worker_path(service, variant)
        for layer, path in ((self._own(service, variant), own), (self._given_defaults(), "spec.defaults")):
            if lookup(layer, *keys) is not None:
                return ".".join((path, *keys))
        return ".".join((own, *keys))

    def _own(self, service: str, variant: str) -> JsonMap:
        workers = (self.given.get("workers") or NOTHING).get(service) or NOTHING
        return workers.get(variant) or NOTHING

    def _given_defaults(self) -> JsonMap:
        return self.given.get("defaults") or NOTHING

    def settings_layers(self, service: str, variant: str, builtin: Mapping[str, object]) -> list[Mapping[str, object]]:
        """Return the layers of a worker's settings, the weakest first, without settings that the worker can't have."""
        site: dict[str, object] = {}
        if self.spec.celery.visibility_timeout is not None:
            site["visibilityTimeout"] = self.spec.celery.visibility_timeout
        site = {**site, **self._given_defaults()}
        keda = site.get("keda")
        if service not in OPEN_EDX_SERVICES:
            # It reads no settings of ours, so it has no in-flight keys, timeouts or probe of its own.
            site.pop("visibilityTimeout", None)
            if site.get("livenessProbe") == CELERY_PROBE:
                del site["livenessProbe"]
            site["keda"] = {**(keda if isinstance(keda, dict) else {}), "inFlight": "Off"}
        elif variant == DEFAULT and isinstance(keda, dict) and keda.get("inFlight") == "Slots":
            # The default workers of lms and cms share an in-flight key, which counts the tasks of both.
            site["keda"] = {**keda, "inFlight": "Zero"}
        return [builtin, site, self._own(service, variant)]


def object_ref(name: str) -> ResourceRef:
    """Return the reference to the configuration ``name`` for messages."""
    return ResourceRef(api_version=API_VERSION, kind=KIND, name=name)
