"""A ScaledObject that is removed while its target may have no pods.

KEDA leaves a Deployment as it is when its ScaledObject is deleted: without pods if nothing was queued then. Applying
the manifest doesn't change that where it states no replicas, as Tutor's don't, and a HorizontalPodAutoscaler doesn't
scale up from zero. This was seen on a real cluster with KEDA 2.20.2.

**Severity:** error: the queue has no consumer from then on.

**What to do:** first apply `advanced.restoreToOriginalReplicaCount: true` (the function sets it) or a minimum of 1. Or
look afterwards, and run `kubectl scale deployment NAME --replicas=1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ADD, ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import Problem
from kustomizer.manifests.tree import is_null, lookup, mapping
from kustomizer.openedx.targeting import scale_target


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find workloads that may be left without pods."""
    changed = [item.id for item in objects if item.id.kind == "ScaledObject" and item.action != ADD]
    if not changed:
        return
    after = sides.after.site.resources
    scaled = {
        (scaled_object.namespace, *scale_target(scaled_object)) for scaled_object in after.of_kind("ScaledObject")
    }
    for identity in changed:
        scaler = sides.before.resources[identity]
        kind, name = scale_target(scaler)
        targets = after.find(kind, name, identity.namespace)
        if (identity.namespace, kind, name) in scaled or not targets:
            continue
        spec = mapping(lookup(scaler.tree, "spec"))
        idle = spec.get("idleReplicaCount")
        restores = lookup(spec, "advanced", "restoreToOriginalReplicaCount") is True
        if (spec.get("minReplicaCount") if idle is None else idle) or restores:
            continue
        if is_null(lookup(targets[0].tree, "spec", "replicas")):
            yield scaler.problem(
                f"no longer scales {name}, and leaves it with no pods if nothing is queued when it goes",
                f"Afterwards run `kubectl scale {kind.lower()} {name} --replicas=1`, or first apply it with "
                "advanced.restoreToOriginalReplicaCount: true",
                field="spec.scaleTargetRef",
            )
