"""A worker that may be scaled to zero while it runs a task.

A task that runs isn't on the list that KEDA counts. When the list is empty, and the minimum is 0, KEDA removes the
last pod in the middle of it: the task is lost, or waits in the in-flight key until a worker with that key is there
again, which may be never. What guards against that is a trigger on the in-flight key itself (`unacked`, or the
worker's own). Of RabbitMQ the HTTP API counts what isn't acknowledged, and AMQP doesn't (`protocol`, or the scheme of
`host`). KEDA's annotations `paused-scale-in` and `force-activation` keep the last pod, too.

**Severity:** error for workers of lms and cms; warning for other applications, whose settings aren't known here, for a
HorizontalPodAutoscaler with `minReplicas: 0`, and where the build doesn't show how RabbitMQ is asked.

**What to do:** `keda.inFlight: Zero` (or `Slots`) in the configuration, or `minReplicas: 1`. A guard that counts
another key than the one that the worker uses is none: let the function make both. A ScaledObject that is somebody
else's (tutor-contrib-k8s, tutor-contrib-celery) isn't changed by the configuration: raise its minimum where it is made,
or turn it off there and have this one's `keda.enabled` take its place.

**What isn't seen:** what a ScaledObject does when it is no longer paused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.manifests.tree import lookup, mapping, mappings, plain_value
from kustomizer.openedx.stopped import FORCE_ACTIVATION, PAUSED_SCALE_IN, is_annotated, is_paused
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.counted_lists import counted_lists, is_ours, key_prefix
from kustomizer.site.model import Site, SiteWorker


def check(site: Site) -> Iterator[Problem]:
    """Find the workers that may go to zero, and aren't guarded."""
    for scaled_object in site.resources.of_kind("ScaledObject"):
        kept = (PAUSED_SCALE_IN, FORCE_ACTIVATION)
        if is_paused(scaled_object) or any(is_annotated(scaled_object, name) for name in kept):
            continue
        spec = mapping(lookup(scaled_object.tree, "spec"))
        minimum = "minReplicaCount" if spec.get("idleReplicaCount") is None else "idleReplicaCount"
        if spec.get(minimum):
            continue
        lists = counted_lists(scaled_object)
        # What waits is on a list of another name.
        guards = [name for name in lists if "unacked" in name]
        for worker in site.workers_of(*scale_target(scaled_object), scaled_object.namespace):
            prefix = key_prefix(worker, lists)
            counts = _counts_unacknowledged(worker, mappings(spec.get("triggers")))
            if counts or f"{prefix}{worker.unacked_key}" in lists or (guards and not _has_known_key(worker)):
                continue
            message = _message(worker, guards, prefix)
            if counts is None:
                message += ", unless it asks RabbitMQ by HTTP, which isn't known"
            remedy = _remedy(minimum, worker, is_mine=is_ours(scaled_object))
            severity = ERROR if worker.is_open_edx and counts is False else WARNING
            yield scaled_object.problem(message, remedy, field=f"spec.{minimum}", severity=severity)
    yield from _by_autoscalers(site)


def _has_known_key(worker: SiteWorker) -> bool:
    """Tell whether it is known where a worker's running tasks are."""
    return worker.is_open_edx and worker.is_key_known


def _by_autoscalers(site: Site) -> Iterator[Problem]:
    """Find HorizontalPodAutoscalers that may do so, where the cluster has HPAScaleToZero on."""
    for autoscaler in site.resources.of_kind("HorizontalPodAutoscaler"):
        if plain_value(lookup(autoscaler.tree, "spec", "minReplicas")) != 0:
            continue
        for worker in site.workers_of(*scale_target(autoscaler), autoscaler.namespace):
            message = f"may scale {worker.resource.name} to zero in the middle of a task that it runs: whether its "
            message += "metrics count running tasks isn't known"
            remedy = "Set minReplicas: 1, or have KEDA scale it (keda.enabled with inFlight: Zero)"
            yield autoscaler.problem(message, remedy, field="spec.minReplicas", severity=WARNING)


def _counts_unacknowledged(worker: SiteWorker, triggers: Sequence[Mapping[str, Any]]) -> bool | None:
    """Tell whether a trigger on RabbitMQ counts what runs, None where only the cluster knows.

    Its HTTP API counts messages that aren't acknowledged, AMQP those that wait (KEDA's rabbitmq_scaler.go).
    """
    answers: set[bool | None] = set()
    for trigger in triggers if worker.late and not worker.is_on_redis else ():
        metadata = mapping(trigger.get("metadata"))
        if trigger.get("type") == "rabbitmq" and str(metadata.get("excludeUnacknowledged")).lower() != "true":
            protocol, host = str(metadata.get("protocol", "auto")), str(metadata.get("host", ""))
            answers.add(None if protocol == "auto" and not host else protocol == "http" or host.startswith("http"))
    return True in answers or (None if None in answers else False)


def _remedy(minimum: str, worker: SiteWorker, *, is_mine: bool) -> str:
    if is_mine:
        return "Set keda.inFlight: Zero, or keda.minReplicas: 1"
    other = "or turn it off there and set keda.enabled: true" if worker.is_on_redis else "or protocol: http"
    return f"Set {minimum}: 1 where this ScaledObject is made, {other}"


def _message(worker: SiteWorker, guards: list[str], prefix: str) -> str:
    name = worker.resource.name
    if not guards:
        return f"scales {name} to zero when its queue is empty, in the middle of a task that it runs"
    return (
        f"counts {', '.join(guards)} before it scales {name} to zero, and that worker's running tasks are in "
        f"{prefix}{worker.unacked_key}"
    )
