"""Who consumes which queue in a built site, and how that worker scales: read off the final resources."""

from __future__ import annotations

from kustomizer.record import Record
from kustomizer.tree import lookup, plain_value
from kustomizer.tutor import emitted_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from kustomizer.resources import Resource, Resources

_AUTOSCALERS = {
    "ScaledObject": ("KEDA", "minReplicaCount", 0, "maxReplicaCount", 100),
    "HorizontalPodAutoscaler": ("HPA", "minReplicas", 1, "maxReplicas", 1),
}


class Scaling(Record):
    """How many pods a worker has: a fixed number, or what an autoscaler may make of it.

    ``list_length`` is the number of queued tasks per pod; ``in_flight`` how running tasks count (Zero, Slots, Off).
    """

    by: str = ""
    minimum: int = 1
    maximum: int = 1
    list_length: int | None = None
    in_flight: str = ""

    def __str__(self) -> str:
        return f"{self.by} {self.minimum}-{self.maximum}" if self.by else f"{self.minimum}, fixed"


class QueueRow(Record):
    """One queue and the worker that consumes it; ``queue`` is empty where the application's own settings name them."""

    service: str
    queue: str
    deployment: str
    scaling: Scaling
    consumed: int = 1
    """How many queues the worker consumes by name."""


def queue_table(resources: Resources) -> list[QueueRow]:
    """Return a row for each queue of each Celery worker, by service, the default worker first."""
    autoscalers = [item for item in resources if item.kind in _AUTOSCALERS]
    rows = [row for item in resources.of_kind("Deployment") for row in _rows(item, autoscalers)]
    return sorted(rows, key=lambda row: (row.service, row.deployment, row.queue))


def _rows(deployment: Resource, autoscalers: Sequence[Resource]) -> Iterator[QueueRow]:
    if "-worker" not in deployment.name or not deployment.mentions("celery"):
        return
    service = deployment.name.partition("-worker")[0]
    worker = emitted_in(service, deployment)
    if worker is None:
        return
    named = worker.command_line.queues or ()
    for queue in named or ("",):
        yield QueueRow(
            service=service,
            queue=queue,
            deployment=deployment.name,
            scaling=_scaling(deployment, queue, autoscalers),
            consumed=len(named),
        )


def _scaling(deployment: Resource, queue: str, autoscalers: Iterable[Resource]) -> Scaling:
    for autoscaler in autoscalers:
        target = lookup(autoscaler.tree, "spec", "scaleTargetRef", "name")
        if target != deployment.name or autoscaler.namespace != deployment.namespace:
            continue
        by, low, low_default, high, high_default = _AUTOSCALERS[autoscaler.kind]
        spec = plain_value(autoscaler.tree["spec"])
        triggers = spec.get("triggers") or []
        return Scaling(
            by=by,
            minimum=spec.get(low, low_default),
            maximum=spec.get(high, high_default),
            list_length=_list_length(triggers, queue),
            in_flight=_in_flight(spec, triggers) if by == "KEDA" else "",
        )
    replicas = plain_value(lookup(deployment.tree, "spec", "replicas"))
    count = replicas if isinstance(replicas, int) else 1
    return Scaling(minimum=count, maximum=count)


def _list_length(triggers: Iterable[dict[str, Any]], queue: str) -> int | None:
    for trigger in triggers:
        metadata = trigger.get("metadata") or {}
        if queue and str(metadata.get("listName", "")).endswith(queue):
            length = str(metadata.get("listLength", ""))
            return int(length) if length.isdigit() else None
    return None


def _in_flight(spec: dict[str, Any], triggers: Iterable[dict[str, Any]]) -> str:
    if lookup(spec, "advanced", "scalingModifiers", "formula"):
        return "Slots"
    return "Zero" if any(trigger.get("name") == "inflight" for trigger in triggers) else "Off"
