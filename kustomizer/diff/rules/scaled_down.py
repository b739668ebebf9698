"""A workload that is scaled to zero, or loses the minimum that kept it running.

With `replicas: 0` nothing runs until somebody scales it up. With an autoscaler's minimum of 0 the first task after a
pause waits until a pod has started, half a minute for Open edX. Where the field is removed, a HorizontalPodAutoscaler's
minimum is 1, and KEDA's is 0.

**Severity:**

- error for `replicas: 0` of Open edX or of a worker: its queues aren't consumed, its pages aren't served;
- warning for `replicas: 0` of anything else, and for a minimum that goes to 0;
- info for a minimum that leaves a HorizontalPodAutoscaler, and for a new autoscaler with a minimum of 0 for a worker
  that was there before.

That a worker may go to zero in the middle of a task is another finding, [scale-to-zero](scale-to-zero.md).

**What to do:** state the intended number: `replicas`, `keda.minReplicas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.diff.model import ADD, ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import changed
from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.pods import COUNTED_KINDS
from kustomizer.manifests.tree import lookup, number_at
from kustomizer.openedx.targeting import scale_target


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find workloads that have no pods afterwards, or may have none."""
    scaled = {
        (scaler.namespace, *scale_target(scaler)) for scaler in sides.after.site.resources.of_kind("ScaledObject")
    }
    workers = {worker.resource.identity for worker in sides.before.site.workers}
    for item in changed(objects, *COUNTED_KINDS):
        before, after = (number_at(tree, "spec", "replicas") for tree in sides.trees(item.id))
        if after == 0 and before != 0 and (item.id.namespace, item.id.kind, item.id.name) not in scaled:
            resource = sides.before.resources[item.id]
            matters = resource.identity in workers or item.id.name in OPEN_EDX_SERVICES
            message = "is scaled to zero: nothing of it runs until somebody scales it up"
            remedy = "State how many pods it is to have, or leave the field out"
            yield item.problem(message, remedy, field="spec.replicas", severity=ERROR if matters else WARNING)
    for item in changed(objects, "ScaledObject", "HorizontalPodAutoscaler"):
        before, after = sides.trees(item.id)
        yield from _minimum(item, before, after)
    for item in objects:
        if item.action == ADD and item.id.kind == "ScaledObject" and _least(item.tree)[1] == 0:
            kind, name = scale_target(sides.after.resources[item.id])
            # A new worker did nothing before.
            if sides.before.site.resources.find(kind, name, item.id.namespace):
                yield _to_zero(item, "lets {} go to zero when nothing is queued, which it didn't do before", INFO)


def _minimum(item: ObjectChange, before: Any, after: Any) -> Iterator[Problem]:
    if item.id.kind == "ScaledObject":
        (_, old), (field, new) = _least(before), _least(after)
        if old and new == 0:
            yield _to_zero(item, f"keeps no pod of {{}} any more, {old} before: the first task waits for one", WARNING)
        elif old is not None and new is not None and new < old:
            yield _problem(item, field, f"keeps at least {new}, {old} before", INFO)
        return
    old, new = number_at(before, "spec", "minReplicas"), lookup(after, "spec", "minReplicas")
    if old is not None and old > 1 and new is None:
        yield _problem(item, "spec.minReplicas", f"has no minimum any more, {old} before: Kubernetes takes 1", INFO)


def _to_zero(item: ObjectChange, message: str, severity: str) -> Problem:
    target = lookup(item.tree, "spec", "scaleTargetRef", "name") or item.id.name.removesuffix("-scaledobject")
    return _problem(item, "spec.minReplicaCount", message.format(target), severity)


def _problem(item: ObjectChange, field: str, message: str, severity: str) -> Problem:
    remedy = "State the minimum that is meant: keda.minReplicas in the configuration, or the field itself"
    return item.problem(message, remedy, field=field, severity=severity)


def _least(scaled_object: Any) -> tuple[str, int | None]:
    """Return the field with the least number of pods of a ScaledObject's target, and the number."""
    spec = lookup(scaled_object, "spec")
    field = "minReplicaCount" if lookup(spec, "idleReplicaCount") is None else "idleReplicaCount"
    return f"spec.{field}", 0 if lookup(spec, field) is None else number_at(spec, field)
