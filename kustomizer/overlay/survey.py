"""Surveys the Celery workers in Tutor's own build, before anything is split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer import API_VERSION, KIND
from kustomizer.config.load import load
from kustomizer.config.types import OPEN_EDX_SERVICES, is_label
from kustomizer.config.worker import DEFAULT
from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import Resources
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.broker import endpoint
from kustomizer.openedx.celery.values import Known
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.queue_names import NAMED, consumed_queues, queue_name, taken_queues
from kustomizer.openedx.settings_module import settings_file
from kustomizer.openedx.settings_source import find_source
from kustomizer.openedx.settings_volume import find_volume, obstacle
from kustomizer.openedx.shapes import check_shape
from kustomizer.openedx.stopped import stopped_by
from kustomizer.openedx.workers import (
    EmittedWorker,
    emitted_worker,
    environment,
    pod_template,
    worker_services,
    workers_of,
)
from kustomizer.record import Record


class SurveyedService(Record):
    """A service with a Celery worker: the queues it consumes, and the variants that they make."""

    name: str
    queues: Sequence[str]
    variants: Sequence[str]
    broker: str
    concurrency: str = ""
    """What its worker already has for how many tasks it works on at a time."""
    module: str = ""
    """The settings module that its worker loads, where that isn't Tutor's."""
    mounts_settings: bool = True
    """Whether its worker mounts that module from an object that ours can be put beside."""
    stopped: str = ""
    """What keeps its worker without pods, empty where nothing does: it has no variants then."""
    kept: Sequence[str] = ()
    """The queues that the default worker keeps, its own first, where others than the variants' are taken."""
    refused: Sequence[Problem] = ()
    """Why its worker can't be split: it has no variants then."""


class Survey(Record):
    """The services that have a worker, and the autoscalers that are in the way of a split."""

    services: Sequence[SurveyedService]
    autoscalers: Sequence[str]
    others: Sequence[str] = ()
    """Workers of Open edX's that aren't Deployments."""

    @property
    def refused(self) -> Sequence[Problem]:
        """Why workers of some services can't be split."""
        return [problem for service in self.services for problem in service.refused]

    def lines(self) -> Iterator[str]:
        """Yield the survey as lines of text."""
        for service in self.services:
            if service.refused:
                yield f"{service.name}-worker is left out of the configuration:"
                yield from (f"  {problem}" for problem in service.refused)
                continue
            queues = ", ".join(filter(None, service.queues)) or "what its own settings name"
            yield f"{service.name}-worker consumes {queues}"
            if service.broker:
                yield f"  broker: {service.broker}"
            if not service.variants:
                of_edx = service.name in OPEN_EDX_SERVICES
                why = "it takes none of Open edX's queues but default" if of_edx else "its queues aren't Open edX's"
                yield f"  stays as it is: {service.stopped or why}"
        for other in self.others:
            yield f"{other} runs a worker and stays as it is: only a Deployment's own container is split"
        for autoscaler in self.autoscalers:
            yield f"{autoscaler} targets a worker; with keda, set replaceHPA: true or turn it off"


def survey(resources: Resources) -> Survey:
    """Survey ``resources``, Tutor's own build."""
    others = [worker.resource.name for worker in workers_of(resources)]
    # A script or a supervisor may start the worker of one of these.
    unseen = {
        service
        for service in OPEN_EDX_SERVICES
        if resources.find("Deployment", f"{service}-worker") and f"{service}-worker" not in others
    }
    names = sorted({*worker_services(resources), *unseen}, key=lambda name: (name not in OPEN_EDX_SERVICES, name))
    workers = {f"{name}-worker" for name in names}
    autoscalers = [
        f"{item.kind} {item.name}"
        for item in resources.of_kind("HorizontalPodAutoscaler")
        if lookup(item.tree, "spec", "scaleTargetRef", "name") in workers
    ]
    other_workers = {
        f"{worker.resource.kind} {worker.resource.name}{'' if worker.listed == 'containers' else ', in a sidecar,'}"
        for worker in workers_of(resources)
        if worker.service in OPEN_EDX_SERVICES
        and (worker.resource.kind != "Deployment" or worker.listed != "containers")
    }
    services = []
    for name in names:
        try:
            services.append(_service(resources, name))
        except UserError as error:
            services.append(SurveyedService(name=name, queues=(), variants=(), broker="", refused=error.problems))
    return Survey(services=services, autoscalers=autoscalers, others=sorted(other_workers))


def _service(resources: Resources, name: str) -> SurveyedService:
    worker = emitted_worker(resources, name)
    check_shape(worker)
    queues = taken_queues(resources, worker) or ()
    prefix = f"edx.{name}.core."
    variants = {queue: queue.removeprefix(prefix) for queue in queues if queue.startswith(prefix)}
    if name in OPEN_EDX_SERVICES:
        # The site may have names of its own for what Open edX calls high, high_mem and low.
        own = {_name(resources, worker, variant): variant for variant in sorted(NAMED)}
        variants = {queue: variant for queue, variant in variants.items() if variant not in NAMED}
        variants |= {queue: own[queue] for queue in queues if queue in own}
    variants = {queue: variant for queue, variant in variants.items() if is_label(variant, "-_")}
    consumed = [variants[queue] for queue in queues if queue in variants]
    running = (item for item in resources if item is not worker.resource and stopped_by(resources, item) is None)
    elsewhere = consumed_queues(resources, running)
    by = stopped_by(resources, worker.resource)
    # A ScaledObject is of one worker; copies inherit what the worker itself says.
    if by is not None and by.resource is worker.resource:
        stopped = f"{by.resource.ref}: {by.field}: {by.why}, and so it would be with its copies"
        return SurveyedService(name=name, queues=queues, variants=(), broker="", stopped=stopped)
    # Celery takes blanks for a part of the name: nobody sends there, and a configuration can't name it.
    named = [queue for queue in queues if queue and not any(map(str.isspace, queue))]
    strays = [queue for queue in named if queue not in variants and queue not in elsewhere]
    default_queues = [queue for queue in queues if variants.get(queue) == DEFAULT]
    return SurveyedService(
        name=name,
        queues=queues,
        variants=[variant for variant in consumed if variant != DEFAULT],
        broker=_broker(resources, name) if name in OPEN_EDX_SERVICES else "",
        concurrency=_concurrency(resources, worker),
        kept=[*default_queues, *strays] if strays and consumed else (),
        module=_module(worker) if name in OPEN_EDX_SERVICES else "",
        mounts_settings=name in OPEN_EDX_SERVICES and _mounts_settings(resources, worker),
    )


def _module(worker: EmittedWorker) -> str:
    module = environment(worker.container_tree, "DJANGO_SETTINGS_MODULE") or ""
    return "" if module == settings_file(worker.service, {}).module else module


def _mounts_settings(resources: Resources, worker: EmittedWorker) -> bool:
    module = _module(worker)
    file = settings_file(worker.service, {worker.service: module} if module else {})
    template = pod_template(worker.resource) or {}
    volume = find_volume(template, file, container=worker.container)
    if volume is None:
        return False
    source = find_source(resources, file, worker.resource.namespace, volume)
    return not obstacle(template, volume, file, source, container=worker.container)


def _name(resources: Resources, worker: EmittedWorker, variant: str) -> str:
    try:
        return queue_name(resources, worker, variant)
    except UserError:
        return ""


def _concurrency(resources: Resources, worker: EmittedWorker) -> str:
    line = worker.command_line
    stated = line.option("--autoscale") or line.option("--concurrency")
    # A variable, settings or the pool may say so, too.
    known = CeleryView(resources, worker).concurrency
    return str(known.value) if isinstance(known, Known) else stated or ""


def _broker(resources: Resources, name: str) -> str:
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "survey"}, "spec": {}}
    try:
        broker, _ = endpoint(resources, load(document), name, emitted_worker(resources, name).resource)
    except UserError as error:
        return error.problems[0].message
    kind = "Sentinel" if broker.sentinel_master else "Redis"
    tls = ", TLS" if broker.tls else ""
    password = ", with a password" if broker.password or broker.password_key else ""
    return f"{kind} {', '.join(broker.addresses)}, database {broker.database}{tls}{password}"
