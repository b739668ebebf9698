"""Finds settings that contradict each other, and names that are taken twice or too long."""

from __future__ import annotations

from kustomizer.config.layers import options_by_meaning
from kustomizer.config.types import LABEL_LENGTH, OPEN_EDX_SERVICES, env_problems
from kustomizer.config.values import join
from kustomizer.config.worker import CELERY_PROBE, DEFAULT, deployment_name, max_replicas, worker_path
from kustomizer.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.config.values import JsonMap
    from kustomizer.config.worker import Worker

# KEDA puts the ScaledObject's name into a label.
SCALED_OBJECT_SUFFIX = "-scaledobject"
_GRACE = "terminationGracePeriodSeconds"
OWN_SETTINGS = "it needs settings in Open edX's own form, which only lms and cms read"

PAUSED, PAUSED_REPLICAS = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"
"""Annotations by which KEDA leaves a worker alone (https://keda.sh/docs/2.21/concepts/scaling-deployments/)."""
TRANSFER_HPA = "scaledobject.keda.sh/transfer-hpa-ownership"
"""The annotation by which KEDA takes over an HPA."""
OWN_ANNOTATIONS = {PAUSED: "paused", PAUSED_REPLICAS: "pausedReplicas", TRANSFER_HPA: "replaceHPA"}
"""Annotations of a ScaledObject that a field sets."""


def check_site(config: CeleryWorkers) -> list[Problem]:
    """Return the problems of the configuration as it is written, before the layers of each worker are merged."""
    problems = []
    for path, settings in config.layers():
        problems += env_problems(settings.env or [], f"{path}.env")
        if settings.extra_args:
            from kustomizer.worker_command.extra_args import check_extra_args  # noqa: PLC0415 - many configurations have none

            problems += check_extra_args(settings.extra_args, f"{path}.extraArgs")
    problems += [*_deployment_names(config), *_hpa_names(config)]
    problems += _resources_of_others(config)
    for service in config.services():
        problems += _queues(config, service)
        problems += _in_flight(config, service)
    for section, fields in (("routing", config.spec.routing), ("settings.modules", config.spec.settings.modules)):
        for service in fields:
            if service not in OPEN_EDX_SERVICES:
                field = join(f"spec.{section}", service)
                problems.append(Problem(field=field, message=OWN_SETTINGS, remedy="Remove it"))
    for service, routes in config.spec.routing.items():
        # EXPLICIT_QUEUES is looked up by a task's name (openedx/core/lib/celery/routers.py).
        for task in (task for task in routes if "*" in task):
            message = "stands for no other names: Open edX compares whole ones"
            problems.append(
                Problem(field=join(f"spec.routing.{service}", task), message=message, remedy="Name each task")
            )
    if config.spec.broker:
        from kustomizer.config.broker import broker_problems  # noqa: PLC0415 - see RARE in kustomizer.config.model

        problems += broker_problems(config.spec.broker)
    if config.spec.flower:
        from kustomizer.config.flower import flower_problems  # noqa: PLC0415

        problems += flower_problems(config.spec.flower)
    return problems


def _deployment_names(config: CeleryWorkers) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for service in config.services():
        for variant in config.variants(service):
            path, name = worker_path(service, variant), deployment_name(service, variant)
            if name in taken:
                message = f"its Deployment would be called {name}, like that of {taken[name]}"
                yield Problem(field=path, message=message, remedy="Rename one of them")
            taken.setdefault(name, path)


def _hpa_names(config: CeleryWorkers) -> Iterator[Problem]:
    """Yield the problems of HPAs that two workers would take over: it scales one of them."""
    worker_of: dict[str, str] = {}
    for path, settings in config.layers():
        name = settings.keda.replace_hpa if settings.keda else None
        if not isinstance(name, str):
            continue
        field = f"{path}.keda.replaceHPA"
        if path == "spec.defaults":
            message, remedy = f"would have every worker take over {name}", "Name it at the worker that it scales"
            yield Problem(field=field, message=message, remedy=remedy)
        elif name in worker_of:
            message = f"{name} is also that of {worker_of[name]}"
            yield Problem(field=field, message=message, remedy="Keep the one that it scales")
        worker_of.setdefault(name, field)


def _queues(config: CeleryWorkers, service: str) -> Iterator[Problem]:
    worker_of: dict[str, str] = {}
    for variant in config.variants(service):
        worker = config.spec.workers[service].get(variant)
        path, queues = worker_path(service, variant), config.queues(service, variant)
        named = worker is not None and worker.queues is not None
        if not queues:
            message = "names no queue" if named else f"is missing: {service} isn't lms or cms, whose queues are known"
            remedy = "List the queues that this worker consumes"
            yield Problem(field=f"{path}.queues", message=message, remedy=remedy)
        for index, queue in enumerate(queues):
            at = f"{path}.queues[{index}]" if named else path
            if queue in worker_of:
                message = f"queue {queue} is also that of {worker_of[queue]}"
                remedy = "Give it to one worker: a worker's pods share its queues"
                yield Problem(field=at, message=message, remedy=remedy)
            worker_of.setdefault(queue, at)


def _in_flight(config: CeleryWorkers, service: str) -> Iterator[Problem]:
    """Yield the settings of a worker's own that it can't have; those from ``defaults`` are adapted instead."""
    for variant, worker in config.spec.workers[service].items():
        path = worker_path(service, variant)
        in_flight = worker.keda.in_flight if worker.keda else None
        if service in OPEN_EDX_SERVICES:
            if variant == DEFAULT and in_flight == "Slots":
                message = "the default workers of lms and cms share Celery's in-flight key: it can't tell slots apart"
                remedy = "Set it to Zero, or give the long tasks a worker of their own"
                yield Problem(field=f"{path}.keda.inFlight", message=message, remedy=remedy)
            continue
        if in_flight in ("Zero", "Slots"):
            remedy = "Remove it: Off is the default here"
            yield Problem(field=f"{path}.keda.inFlight", message=OWN_SETTINGS, remedy=remedy)
        if worker.liveness_probe == CELERY_PROBE:
            yield Problem(field=f"{path}.livenessProbe", message=OWN_SETTINGS, remedy="State it as a map")
        if worker.visibility_timeout is not None:
            remedy = f"Remove it, and set it in the settings of {service}"
            yield Problem(field=f"{path}.visibilityTimeout", message=OWN_SETTINGS, remedy=remedy)


def check_worker(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> list[Problem]:
    """Return the contradictions in the merged settings of a worker."""
    problems = [*_name(service, variant, worker), *_keda(config, service, variant, worker)]
    problems += [*_strategy(config, service, variant, worker), *_times(config, service, variant, worker)]
    if worker.env:
        from kustomizer.config.variables import variable_problems  # noqa: PLC0415 - many configurations have none

        problems += variable_problems(config, service, variant, worker)
    if worker.resources:
        problems += _resources(config, service, variant, worker.resources)
    if worker.liveness_probe or (worker.keda and worker.keda.behavior):
        problems += _handed_on(config, service, variant, worker)
    budget = worker.pod_disruption_budget
    if budget and budget.max_unavailable is not None and budget.min_available is not None:
        field = config.origin(service, variant, "podDisruptionBudget", "minAvailable")
        rival = config.origin(service, variant, "podDisruptionBudget", "maxUnavailable")
        remedy = "Keep one of them; null removes an inherited one"
        problems.append(Problem(field=field, message=f"conflicts with {rival}", remedy=remedy))
    if worker.concurrency is not None and worker.extra_args:
        for option, _ in options_by_meaning(worker.extra_args):
            if option in ("--concurrency", "--autoscale"):
                field = config.origin(service, variant, "concurrency")
                message = f"conflicts with {option} in {config.origin(service, variant, 'extraArgs')}"
                remedy = "Keep one of them; concurrency: null removes an inherited one"
                problems.append(Problem(field=field, message=message, remedy=remedy))
    return problems


def _name(service: str, variant: str, worker: Worker) -> list[Problem]:
    name = deployment_name(service, variant)
    longest = LABEL_LENGTH - (len(SCALED_OBJECT_SUFFIX) if worker.keda_enabled else 0)
    if len(name) <= longest:
        return []
    why = f", since KEDA makes a label of {name}{SCALED_OBJECT_SUFFIX}" if worker.keda_enabled else ""
    message = f"its Deployment would be called {name}, {len(name)} characters; at most {longest} are possible{why}"
    return [Problem(field=worker_path(service, variant), message=message, remedy="Shorten the name")]


def _resources(config: CeleryWorkers, service: str, variant: str, resources: JsonMap) -> list[Problem]:
    """Return the problems of requests and limits that an API server refuses."""
    from kustomizer.manifests.amounts import resource_faults  # noqa: PLC0415 - many configurations have none

    return [
        Problem(field=config.origin(service, variant, "resources", *path.split(".", 1)), message=message, remedy=remedy)
        for path, message, remedy in resource_faults(resources)
    ]


def _resources_of_others(config: CeleryWorkers) -> Iterator[Problem]:
    """Yield the same problems of the scheduler and of Flower."""
    for name, section in (("scheduler", config.spec.scheduler), ("flower", config.spec.flower)):
        resources = section.resources if section is not None else None
        if not resources:
            continue
        from kustomizer.manifests.amounts import resource_faults  # noqa: PLC0415 - as above

        for path, message, remedy in resource_faults(resources, whole=name == "flower"):
            yield Problem(field=f"spec.{name}.resources.{path}", message=message, remedy=remedy)


def _handed_on(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> Iterator[Problem]:
    """Yield the problems of maps of Kubernetes' own that an API server refuses."""
    from kustomizer.config.handed_on import behavior_faults, probe_faults  # noqa: PLC0415 - many configurations have none

    probe, behavior = worker.liveness_probe, worker.keda.behavior if worker.keda else None
    of_probe = config.origin(service, variant, "livenessProbe")
    of_behavior = config.origin(service, variant, "keda", "behavior")
    found = [(of_probe, fault) for fault in (probe_faults(probe) if isinstance(probe, dict) else ())]
    found += [(of_behavior, fault) for fault in (behavior_faults(behavior) if behavior else ())]
    for field, (path, message, remedy) in found:
        yield Problem(field=".".join((field, *path)), message=message, remedy=remedy)


def _strategy(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> list[Problem]:
    """Return the problem that Kubernetes refuses a rollout which may neither add nor take a pod."""
    update = worker.strategy.rolling_update if worker.strategy else None
    nothing = (0, "0%")
    if update is None or update.max_surge not in nothing or update.max_unavailable not in nothing:
        return []
    field = config.origin(service, variant, "strategy", "rollingUpdate", "maxUnavailable")
    message = "is 0 as maxSurge is: a rollout could replace no pod, which Kubernetes refuses"
    return [Problem(field=field, message=message, remedy="Raise one of them")]


def _times(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> list[Problem]:
    """Return the problem of a grace period above the visibility timeout, where the configuration states both.

    Of a timeout that the site or Celery has, the build knows, and warns.
    """
    grace, timeout = worker.termination_grace_period_seconds, worker.visibility_timeout
    layers = config.settings_layers(service, variant, {})
    stated = [any(layer.get(name) is not None for layer in layers) for name in (_GRACE, "visibilityTimeout")]
    if grace is None or timeout is None or grace <= timeout or not all(stated):
        return []
    message = f"{grace} is more than visibilityTimeout, {timeout}: Redis hands a task that takes so long to another "
    message += "worker, too, and it is run twice"
    remedy = f"Set visibilityTimeout to {grace} or more, or lower this one"
    return [Problem(field=config.origin(service, variant, _GRACE), message=message, remedy=remedy)]


def _keda(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> list[Problem]:
    keda = worker.keda
    if keda is None or not keda.enabled:
        return []
    problems = []

    def refuse(key: str, message: str, remedy: str) -> None:
        problems.append(Problem(field=config.origin(service, variant, "keda", key), message=message, remedy=remedy))

    least, most = keda.min_replicas or 0, max_replicas(keda, variant)
    if least > most:
        where = config.origin(service, variant, "keda", "maxReplicas")
        most_is = f"{where}, {most}" if keda.max_replicas is not None else f"maxReplicas, by default {most}"
        refuse("minReplicas", f"{least} is more than {most_is}", "Raise maxReplicas, or lower minReplicas")
    if keda.idle_replicas:
        message = f"{keda.idle_replicas} is a number that KEDA takes and doesn't keep to: it documents 0 alone"
        refuse("idleReplicas", message, "Set idleReplicas: 0, or leave it out and set minReplicas")
    elif keda.idle_replicas is not None and least == 0:
        message = f"{keda.idle_replicas} isn't less than minReplicas, {least}"
        refuse("idleReplicas", message, "Raise minReplicas, or remove idleReplicas")
    if keda.paused is False and keda.paused_replicas is not None:
        refuse("pausedReplicas", "pauses the worker, and paused is false", "Remove one of them, or set it to null")
    for annotation in keda.annotations or ():
        if annotation in OWN_ANNOTATIONS:
            field = join(config.origin(service, variant, "keda", "annotations"), annotation)
            remedy = f"Set keda.{OWN_ANNOTATIONS[annotation]} instead"
            problems.append(Problem(field=field, message="is set by a field of its own", remedy=remedy))
    if worker.replicas is not None:
        field = config.origin(service, variant, "replicas")
        message = f"conflicts with {config.origin(service, variant, 'keda', 'enabled')}: both set the number of pods"
        remedy = "Remove replicas (replicas: null, where it is inherited), or set keda: {enabled: false}"
        problems.append(Problem(field=field, message=message, remedy=remedy))
    return problems
