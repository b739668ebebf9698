"""Each queue of a built site: who sends to it, who consumes it, how that worker scales, and what guards running tasks.

Everything is read from the final resources: tables, pictures and comparisons show what the cluster would get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings, number_at
from kustomizer.openedx.stopped import is_paused, paused_replicas
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import RECURRING, grace_period
from kustomizer.record import Record
from kustomizer.site.counted_lists import counted_lists, formula, is_of_priority, key_prefix, list_name
from kustomizer.site.model import Site, SiteWorker, autoscalers
from kustomizer.tasks.numbers import service_of

# The names of the fields, and their defaults.
_AUTOSCALERS = {
    "ScaledObject": ("KEDA", "minReplicaCount", 0, "maxReplicaCount", 100),
    "HorizontalPodAutoscaler": ("HPA", "minReplicas", 1, "maxReplicas", 1),
}


class Scaling(Record):
    """How many pods a worker has: a fixed number (``by`` is empty), or what an autoscaler may make of it."""

    by: str = ""
    name: str = ""
    """The autoscaler's own name."""
    minimum: int = 1
    maximum: int = 1
    list_length: int | None = None
    """Queued tasks per pod."""
    paused: bool = False
    """Whether KEDA is told to leave the number of pods alone."""

    def __str__(self) -> str:
        if not self.by:
            return f"{self.minimum}, fixed"
        if self.by == "DaemonSet":
            return "one per node"
        span = f"{self.minimum}-{self.maximum}" if self.minimum != self.maximum or not self.paused else self.minimum
        return f"{self.by} {span}{', paused' if self.paused else ''}"


class Guard(Record):
    """What keeps a running task from being lost, or cut off."""

    late: bool | None = None
    """Whether a task is acknowledged when it is done; None where the settings aren't Open edX's, and nobody knows."""
    counted: str = ""
    """How KEDA counts running tasks (Zero, Slots, Off, or a Formula of somebody else's), empty without KEDA."""
    grace_period: int = 0
    """Seconds to finish when a pod is stopped; 0 leaves that to Kubernetes."""
    unacked_key: str = ""
    """The hash in Redis where tasks in flight are."""
    visibility_timeout: int | None = None
    """Seconds after which Redis hands a task out again."""

    def __str__(self) -> str:
        if self.late is False:
            return "no guard"
        grace = f"{self.grace_period}s" if self.grace_period else ""
        return ", ".join(part for part in (self.counted, grace) if part)


class QueueRow(Record):
    """A queue and one worker that consumes it.

    A queue with two consumers has a row for each; ``deployment`` is empty for one that nobody consumes, ``queue`` where
    only the application's own settings name it.
    """

    namespace: str
    service: str
    queue: str
    deployment: str = ""
    scaling: Scaling = Scaling()
    guard: Guard = Guard()
    tasks: tuple[str, ...] = ()
    """What settings in the build route to it, by task name; what Open edX's code sends there isn't known."""


def queues_of(site: Site) -> list[QueueRow]:
    """Return a row for each queue and consumer, by service, the default worker first."""
    tasks = _routed(site)
    scalers = scalers_by_target(site)
    rows = [row for worker in site.workers for row in _rows(site, worker, scalers, tasks)]
    rows += _unseen(site, scalers)
    consumed = {(row.namespace, row.queue) for row in rows}
    rows += [
        QueueRow(namespace=namespace, service=service_of(queue), queue=queue, tasks=tasks.get((namespace, queue), ()))
        for namespace, queue in sorted({*_known(site), *tasks} - consumed)
    ]
    return sorted(rows, key=lambda row: (row.namespace, row.service, not row.deployment, row.deployment, row.queue))


def _rows(
    site: Site,
    worker: SiteWorker,
    scalers: Mapping[tuple[str, str, str], Resource],
    tasks: Mapping[tuple[str, str], tuple[str, ...]],
) -> Iterator[QueueRow]:
    resource = worker.resource
    scaler = scalers.get((resource.namespace, resource.kind, resource.name))
    guard = Guard(
        late=worker.late if worker.is_open_edx else None,
        counted=_counted(worker, scaler) if scaler is not None and scaler.kind == "ScaledObject" else "",
        grace_period=grace_period(resource),
        unacked_key=worker.unacked_key if worker.is_open_edx else "",
        visibility_timeout=site.visibility_timeout(worker) if worker.is_open_edx else None,
    )
    prefix = key_prefix(worker, counted_lists(scaler)) if scaler is not None else ""
    for queue in worker.queues or ("",):
        yield QueueRow(
            namespace=resource.namespace,
            service=worker.service,
            queue=queue,
            deployment=resource.name,
            scaling=scaling_of(resource, scaler, f"{prefix}{queue}" if queue else ""),
            guard=guard,
            tasks=tasks.get((resource.namespace, queue), ()),
        )


def _routed(site: Site) -> dict[tuple[str, str], tuple[str, ...]]:
    tasks_of: dict[tuple[str, str], set[str]] = {}
    for route in site.routes:
        tasks_of.setdefault((route.namespace, route.queue), set()).add(route.task)
    return {key: tuple(sorted(tasks)) for key, tasks in tasks_of.items()}


def _known(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the queues that Open edX's own code sends to."""
    for resource in site.resources.of_kind("Deployment"):
        for queue in site.open_edx_queues(resource.namespace, resource.name):
            # Where a worker takes nobody knows what, that nobody takes a queue isn't known either.
            if site.doubt(resource.namespace, resource.name) is None:
                yield resource.namespace, queue


def _unseen(site: Site, scalers: Mapping[tuple[str, str, str], Resource]) -> Iterator[QueueRow]:
    """Yield a row for each of Tutor's workers that something else than `celery … worker` may start."""
    for resource in site.resources.of_kind("Deployment"):
        doubt = site.doubt(resource.namespace, resource.name)
        if doubt is not None and not site.workers_of("Deployment", doubt.resource.name, resource.namespace):
            worker = doubt.resource
            scaler = scalers.get((worker.namespace, worker.kind, worker.name))
            scaling = scaling_of(worker, scaler)
            yield QueueRow(
                namespace=worker.namespace, service=resource.name, queue="", deployment=worker.name, scaling=scaling
            )


def scalers_by_target(site: Site) -> dict[tuple[str, str, str], Resource]:
    """Return what scales each workload; of two, which is wrong, KEDA's."""
    scalers: dict[tuple[str, str, str], Resource] = {}
    for resource in sorted(autoscalers(site), key=lambda item: item.kind != "ScaledObject"):
        scalers.setdefault((resource.namespace, *scale_target(resource)), resource)
    return scalers


def scaling_of(workload: Resource, scaler: Resource | None, queue_list: str = "") -> Scaling:
    """Return how many pods a workload has, by what scales it or by itself."""
    if scaler is None:
        return _fixed(workload)
    by, low, low_default, high, high_default = _AUTOSCALERS[scaler.kind]
    spec = mapping(lookup(scaler.tree, "spec"))
    paused = paused_replicas(scaler) if scaler.kind == "ScaledObject" else None
    return Scaling(
        by=by,
        name=scaler.name,
        minimum=_number(spec, low, low_default) if paused is None else paused,
        maximum=_number(spec, high, high_default) if paused is None else paused,
        list_length=_list_length(mappings(spec.get("triggers")), queue_list),
        paused=scaler.kind == "ScaledObject" and is_paused(scaler),
    )


def _fixed(resource: Resource) -> Scaling:
    if resource.kind == "DaemonSet":
        return Scaling(by=resource.kind, name=resource.name)
    if resource.kind in RECURRING:
        most = _number(lookup(resource.tree, "spec"), "maxReplicaCount", 100)
        if resource.kind == "CronJob":
            most = _number(lookup(resource.tree, "spec", "jobTemplate", "spec"), "parallelism", 1)
        return Scaling(by=resource.kind, name=resource.name, minimum=0, maximum=most)
    count = _number(lookup(resource.tree, "spec"), "replicas", 1)
    return Scaling(minimum=count, maximum=count)


def _number(spec: Any, field: str, default: int) -> int:
    stated = number_at(spec, field)
    return default if stated is None else stated


def _list_length(triggers: Sequence[Mapping[str, Any]], queue_list: str) -> int | None:
    # A site's priorities needn't have the one that has no list of its own.
    for name, trigger in ((list_name(trigger), trigger) for trigger in triggers):
        if queue_list and (name == queue_list or is_of_priority(name, queue_list)):
            return whole_number(str(mapping(trigger.get("metadata")).get("listLength", "")))
    return None


def _counted(worker: SiteWorker, scaled_object: Resource) -> str:
    """Return how running tasks count for a ScaledObject, in the words of the configuration's ``inFlight``.

    Somebody else's formula may do anything with them: then it is called what it is.
    """
    lists = counted_lists(scaled_object)
    key = f"{key_prefix(worker, lists)}{worker.unacked_key}"
    named = [
        trigger
        for trigger in mappings(lookup(scaled_object.tree, "spec", "triggers"))
        if list_name(trigger) == key or (trigger.get("name") == "inflight" and list_name(trigger) in lists)
    ]
    if not named or list_name(named[0]) not in lists:
        return "Off"
    text, name = formula(scaled_object), str(named[0].get("name"))
    if not text:
        return "Zero"
    if f"{name}/" in text:
        return "Slots"
    return "Zero" if f"{name} > 0 ?" in text else "Formula"
