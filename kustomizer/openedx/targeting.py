"""Objects that target a worker's Deployment or select its pods, and so may leave its copies out."""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, lookup, plain_value
from kustomizer.openedx.workers import pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources

_SCALED = ("spec", "scaleTargetRef")
TARGET_REFERENCES = {
    "HorizontalPodAutoscaler": _SCALED,
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
# They can be about pods of other namespaces than their own.
_REACHING = frozenset({"NetworkPolicy", "PodMonitor"})
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
KINDS = (*TARGET_REFERENCES, *SELECTORS)
"""The kinds that ``spec.copyTargeting`` may name."""
# They select no pods, or are looked at elsewhere.
_KNOWN_KINDS = frozenset(
    {
        *KINDS,
        *("CeleryWorkers", "ConfigMap", "CronJob", "DaemonSet", "Deployment", "Ingress", "Job", "Namespace"),
        *("PersistentVolume", "PersistentVolumeClaim", "Pod", "PrometheusRule", "ReplicaSet", "Role", "RoleBinding"),
        *("ScaledJob", "ScaledObject", "Secret", "ServiceAccount", "ServiceMonitor", "StatefulSet", "StorageClass"),
        *("TriggerAuthentication", "ClusterTriggerAuthentication"),
    }
)
# Calico has a NetworkPolicy of its own, Knative a Service.
_KNOWN_GROUPS = frozenset(
    {
        *("", "apps", "autoscaling", "autoscaling.k8s.io", "batch", "celery.openedx.io", "extensions", "keda.sh"),
        *("monitoring.coreos.com", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io"),
    }
)


def targeting(resources: Resources, worker: Resource) -> list[Resource]:
    """Return the resources that may target ``worker``: those of these kinds that mention it, and reach its namespace.

    A policy of another namespace may let its pods in there, and Prometheus' objects often are in one of their own.
    """
    return [
        resource
        for resource in resources.of_kind(*KINDS)
        if (resource.namespace == worker.namespace or resource.kind in _REACHING) and resource.mentions(worker.name)
    ]


def monitor_reaches(resource: Resource, namespace: str) -> bool:
    """Tell whether a PodMonitor or ServiceMonitor looks into ``namespace``."""
    chosen = lookup(resource.tree, "spec", "namespaceSelector")
    names = lookup(chosen, "matchNames")
    if plain_value(lookup(chosen, "any")) is True:
        return True
    if isinstance(names, list) and names:
        # Which one a build without a namespace is applied to, nobody knows.
        return not namespace or namespace in names
    return resource.namespace == namespace


def peer_reaches(peer: Any, resource: Resource, namespace: str) -> bool:
    """Tell whether a NetworkPolicy's peer may be a pod in ``namespace``."""
    chosen = lookup(peer, "namespaceSelector")
    if is_null(chosen):
        return resource.namespace == namespace
    name = lookup(chosen, "matchLabels", _NAMESPACE_LABEL)
    # What other labels a namespace has, the cluster knows.
    return not namespace or name is None or name == namespace


def autoscalers_by_target(resources: Resources, worker: Resource) -> dict[str, list[Resource]]:
    """Return the HorizontalPodAutoscalers and ScaledObjects of ``worker`` and of its copies, by the Deployment."""
    autoscalers: dict[str, list[Resource]] = {}
    for resource in resources.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        # A copy's name begins with the worker's.
        near = resource.namespace == worker.namespace and resource.mentions(worker.name)
        target = targeted_deployment(resource) if near else ""
        if target:
            autoscalers.setdefault(target, []).append(resource)
    return autoscalers


def targeted_deployment(autoscaler: Resource) -> str:
    """Return the Deployment that an autoscaler scales, empty where it scales something else."""
    kind, name = scale_target(autoscaler)
    return name if kind == "Deployment" else ""


def scale_target(autoscaler: Resource) -> tuple[str, str]:
    """Return the kind and the name of what is scaled; a ScaledObject's may leave its kind out."""
    reference = lookup(autoscaler.tree, *TARGET_REFERENCES.get(autoscaler.kind, _SCALED))
    kind, name = (plain_value(lookup(reference, field)) for field in ("kind", "name"))
    return (str(kind or "Deployment"), str(name or ""))


def is_placed(resource: Resource) -> bool:
    """Tell whether the pods of a workload are placed by where other pods are."""
    may_be = resource.mentions("podAffinity") or resource.mentions("podAntiAffinity")
    return may_be and is_known(resource) and lookup(pod_template(resource), "spec", "affinity") is not None


def is_known(resource: Resource) -> bool:
    """Tell whether a resource is of a kind that selects no pods, or is looked at by its kind."""
    return resource.kind in _KNOWN_KINDS and resource.identity[0] in _KNOWN_GROUPS
