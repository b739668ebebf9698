"""Objects that target a worker's Deployment or select its pods, and so may leave its copies out."""

from __future__ import annotations

from kustomizer.manifests.tree import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resource, Resources

TARGET_REFERENCES = {
    "HorizontalPodAutoscaler": ("spec", "scaleTargetRef"),
    "VerticalPodAutoscaler": ("spec", "targetRef"),
}
"""Kinds that name a Deployment, and the path of the reference."""
SELECTORS = {
    "PodDisruptionBudget": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
    "Service": ("spec", "selector"),
    "PodMonitor": ("spec", "selector"),
}
"""Kinds that select pods, and the path of the selector."""
KINDS = (*TARGET_REFERENCES, *SELECTORS)
"""The kinds that ``spec.copyTargeting`` may name."""


def targeting(resources: Resources, worker: Resource) -> list[Resource]:
    """Return the resources that may target ``worker``: those of these kinds, in its namespace, that mention it."""
    return [
        resource
        for resource in resources.of_kind(*KINDS)
        if resource.namespace == worker.namespace and resource.mentions(worker.name)
    ]


def autoscalers_by_target(resources: Resources, worker: Resource) -> dict[str, list[Resource]]:
    """Return the HorizontalPodAutoscalers and ScaledObjects of ``worker`` and of its copies, by the Deployment."""
    autoscalers: dict[str, list[Resource]] = {}
    for resource in resources.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        # A copy's name begins with the worker's.
        near = resource.namespace == worker.namespace and resource.mentions(worker.name)
        target = targeted_deployment(resource, "spec", "scaleTargetRef") if near else ""
        if target:
            autoscalers.setdefault(target, []).append(resource)
    return autoscalers


def targeted_deployment(resource: Resource, *path: str) -> str:
    """Return the Deployment that the reference at ``path`` names, empty where it names none."""
    reference = lookup(resource.tree, *path)
    # A ScaledObject's reference may leave its kind out.
    is_deployment = (lookup(reference, "kind") or "Deployment") == "Deployment"
    return str(lookup(reference, "name") or "") if is_deployment else ""
