"""A worker that may be scaled to zero while it runs a task.

A task that runs isn't on the list that KEDA counts. When the list is empty, and the minimum is 0, KEDA removes the
last pod in the middle of it: the task is lost, or waits in the in-flight key until a worker with that key is there
again, which may be never. What guards against that is a trigger on the in-flight key itself (`unacked`, or the
worker's own).

**Severity:** error for workers of lms and cms; warning for other applications, whose settings aren't known here, and
for a HorizontalPodAutoscaler with `minReplicas: 0`.

**What to do:** `keda.inFlight: Zero` (or `Slots`) in the configuration, or `minReplicas: 1`. A guard that counts
another key than the one that the worker uses is none: let the function make both. A ScaledObject that is somebody
else's (tutor-contrib-k8s, tutor-contrib-celery) isn't changed by the configuration: raise its minimum where it is made,
or turn it off there and have this one's `keda.enabled` take its place.

**What isn't seen:** what a ScaledObject does when it is no longer paused.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.manifests.tree import lookup, mapping, plain_value
from kustomizer.site.model import Site, SiteWorker, scale_target
from kustomizer.site.redis_lists import counted_lists, is_ours, is_paused, key_prefix

ID = "scale-to-zero"


def check(site: Site) -> Iterator[Problem]:
    """Find the workers that may go to zero, and aren't guarded."""
    for scaled_object in site.resources.of_kind("ScaledObject"):
        if is_paused(scaled_object):
            continue
        spec = mapping(lookup(scaled_object.tree, "spec"))
        minimum = "minReplicaCount" if spec.get("idleReplicaCount") is None else "idleReplicaCount"
        if spec.get(minimum):
            continue
        lists = counted_lists(scaled_object)
        # What waits is on a list of another name.
        guards = [name for name in lists if "unacked" in name]
        for worker in site.workers_of(*scale_target(scaled_object), scaled_object.namespace):
            if f"{key_prefix(worker, lists)}{worker.unacked_key}" in lists or (guards and not worker.is_open_edx):
                continue
            yield Problem(
                message=_message(worker, guards, key_prefix(worker, lists)),
                severity=ERROR if worker.is_open_edx else WARNING,
                resource=scaled_object.ref,
                field=f"spec.{minimum}",
                remedy=_remedy(minimum, is_mine=is_ours(scaled_object)),
            )
    yield from _by_autoscalers(site)


def _by_autoscalers(site: Site) -> Iterator[Problem]:
    """Find HorizontalPodAutoscalers that may do so, where the cluster has HPAScaleToZero on."""
    for autoscaler in site.resources.of_kind("HorizontalPodAutoscaler"):
        if plain_value(lookup(autoscaler.tree, "spec", "minReplicas")) != 0:
            continue
        for worker in site.workers_of(*scale_target(autoscaler), autoscaler.namespace):
            yield Problem(
                message=f"may scale {worker.resource.name} to zero in the middle of a task that it runs: whether its "
                "metrics count running tasks isn't known",
                severity=WARNING,
                resource=autoscaler.ref,
                field="spec.minReplicas",
                remedy="Set minReplicas: 1, or have KEDA scale it (keda.enabled with inFlight: Zero)",
            )


def _remedy(minimum: str, *, is_mine: bool) -> str:
    if is_mine:
        return "Set keda.inFlight: Zero, or keda.minReplicas: 1"
    return f"Set {minimum}: 1 where this ScaledObject is made, or turn it off there and set keda.enabled: true"


def _message(worker: SiteWorker, guards: list[str], prefix: str) -> str:
    name = worker.resource.name
    if not guards:
        return f"scales {name} to zero when its queue is empty, in the middle of a task that it runs"
    return (
        f"counts {', '.join(guards)} before it scales {name} to zero, and that worker's running tasks are in "
        f"{prefix}{worker.unacked_key}"
    )
