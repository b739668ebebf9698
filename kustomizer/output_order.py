"""The order in which kustomize prints a site: by kind as they may depend on each other, and by name.

https://github.com/kubernetes-sigs/kustomize/blob/kustomize/v5.8.1/api/internal/builtins/SortOrderTransformer.go, which
says of its list "DO NOT CHANGE! Final legacy ordering".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.header import Header

_FIRST = (
    *("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy"),
    *("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service"),
    *("LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet"),
    *("CronJob", "PodDisruptionBudget"),
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_PLACES = {kind: place - len(_FIRST) for place, kind in enumerate(_FIRST)}
_PLACES |= {kind: 1 + place for place, kind in enumerate(_LAST)}


def sort_key(header: Header) -> tuple[int, str, str]:
    """Return what sorts an object among others."""
    api_version, kind, namespace, name = header
    group, _, version = api_version.rpartition("/")
    # kustomize fills in what isn't there with what sorts behind letters.
    return (_PLACES.get(kind, 0), f"{group or '~G'}_{version}_{kind}", f"{namespace or '~X'}|{name}")
