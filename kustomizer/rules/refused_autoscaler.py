"""An autoscaler that KEDA or an API server refuses.

Its worker keeps the pods that it has, or has one for ever. KEDA's webhook refuses a ScaledObject, and where the webhook
doesn't answer KEDA never makes it ready:

- without triggers;
- whose `minReplicaCount` is above its `maxReplicaCount`, which is 100 unless it is stated, or whose `idleReplicaCount`
  isn't below its `minReplicaCount`;
- that may go to zero with triggers on `cpu` and `memory` alone, which nothing would wake.

An API server refuses a HorizontalPodAutoscaler without `maxReplicas`, or whose `minReplicas` is above it.

**Severity:** error.

**What to do:** what the message says, where the autoscaler is made.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import is_null, lookup, mappings, number_at
from kustomizer.site.model import Site, autoscalers

# KEDA's default.
_MOST = 100


def check(site: Site) -> Iterator[Problem]:
    """Find the autoscalers whose numbers don't go together."""
    for resource in autoscalers(site):
        faults = _of_keda(resource) if resource.kind == "ScaledObject" else _of_kubernetes(resource)
        for field, message, remedy in faults:
            yield resource.problem(message, remedy, field=f"spec.{field}")


def _of_keda(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield what KEDA refuses (CheckReplicaCountBoundsAreValid, ValidateTriggers, verifyCPUMemoryScalers in 2.21.0)."""
    spec = lookup(resource.tree, "spec")
    triggers = mappings(lookup(spec, "triggers"))
    if not triggers:
        yield "triggers", "are none: KEDA refuses it, and scales nothing", "Name what it is to count"
    stated, maximum, idle = (
        number_at(spec, field) for field in ("minReplicaCount", "maxReplicaCount", "idleReplicaCount")
    )
    # KEDA takes a 0 that is stated for the least that its HPA can have.
    least = 0 if stated is None else max(stated, 1)
    most = _MOST if maximum is None else maximum
    if least > most:
        message = f"{most} is less than minReplicaCount, {least}: KEDA refuses it, and scales nothing"
        yield "maxReplicaCount", message, "Raise it, or lower minReplicaCount"
    if idle is not None and idle >= least:
        message = f"{idle} isn't less than minReplicaCount, {least}: KEDA refuses it, and scales nothing"
        yield "idleReplicaCount", message, "Leave it out, or raise minReplicaCount"
    if triggers and not stated and all(trigger.get("type") in ("cpu", "memory") for trigger in triggers):
        message = "is 0, and triggers on cpu and memory can't wake what has no pods: KEDA refuses it"
        yield "minReplicaCount", message, "Set it to 1, or add a trigger on the queue"


def _of_kubernetes(resource: Resource) -> Iterator[tuple[str, str, str]]:
    spec = lookup(resource.tree, "spec")
    least, most = (number_at(spec, field) for field in ("minReplicas", "maxReplicas"))
    if is_null(lookup(spec, "maxReplicas")):
        yield "maxReplicas", "is missing: an API server refuses it", "State the greatest number of pods"
    elif most is not None and most < max(1, least or 0):
        message = f"{most} is less than minReplicas, {least}" if most > 0 else f"is {most}"
        yield "maxReplicas", f"{message}: an API server refuses it", "Raise it, or take the autoscaler out"
