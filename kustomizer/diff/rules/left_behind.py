"""An autoscaler that leaves the build and stays in the cluster.

`kubectl apply` deletes nothing, nor does `tutor k8s start`: a HorizontalPodAutoscaler or a ScaledObject that leaves the
build keeps scaling its target. KEDA's webhook refuses a ScaledObject for a Deployment that still has a
HorizontalPodAutoscaler.

**Severity:**

- error for a HorizontalPodAutoscaler where the new build has a ScaledObject for the same target that doesn't take it
  over: the ScaledObject is refused, and never scales;
- warning otherwise.

A ScaledObject takes its HorizontalPodAutoscaler with it when it is deleted, also one that it has taken over. Where the
new build has that one again, the ScaledObject has to go before the build is applied.

**What to do:** delete it by hand, as the message says; or let the ScaledObject take it over (`keda.replaceHPA:
true`). Where Flux or Argo CD prunes, nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.config.checks import TRANSFER_HPA
from kustomizer.diff.model import DESTROY, ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import AUTOSCALERS

_NAME = ("spec", "advanced", "horizontalPodAutoscalerConfig", "name")


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find autoscalers that stay in the cluster."""
    for item in objects:
        if item.action != DESTROY or item.id.kind not in AUTOSCALERS:
            continue
        scaler = sides.before.resources[item.id]
        kind, name = scale_target(scaler)
        site = sides.after.site
        if not site.resources.find(kind, name, scaler.namespace):
            continue
        rivals = [
            rival
            for rival in site.resources.of_kind("ScaledObject")
            if rival.namespace == scaler.namespace and scale_target(rival) == (kind, name)
        ]
        refused = bool(rivals) and item.id.kind == "HorizontalPodAutoscaler"
        if refused and any(_takes_over(rival, scaler) for rival in rivals):
            continue
        message = f"leaves the build, and applying it doesn't delete it: it goes on scaling {name}"
        remedy = f"Run `kubectl delete {item.id.kind.lower()} {scaler.name} --namespace={scaler.namespace}`"
        if refused:
            message += f", and KEDA refuses {rivals[0].name} while it does"
            remedy += " before, or set keda.replaceHPA: true"
        else:
            remedy += _when(scaler, site.resources)
        severity = ERROR if refused else WARNING
        yield scaler.problem(message, remedy, field="spec.scaleTargetRef", severity=severity)


def _when(scaler: Resource, after: Resources) -> str:
    """Return when a ScaledObject has to be deleted whose autoscaler the new build has."""
    name = plain_value(lookup(scaler.tree, *_NAME)) or f"keda-hpa-{scaler.name}"
    if scaler.kind != "ScaledObject" or not after.find("HorizontalPodAutoscaler", str(name), scaler.namespace):
        return ""
    return f" before this is applied: it takes HorizontalPodAutoscaler {name} with it, which is in this build again"


def _takes_over(scaled_object: Resource, autoscaler: Resource) -> bool:
    transfers = plain_value(lookup(scaled_object.tree, "metadata", "annotations", TRANSFER_HPA))
    name = lookup(scaled_object.tree, *_NAME)
    return bool(transfers == "true" and plain_value(name) == autoscaler.name)
