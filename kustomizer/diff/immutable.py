"""The fields that Kubernetes refuses to change: their object has to be deleted and created again.

The API server refuses them in pkg/apis/*/validation/validation.go of https://github.com/kubernetes/kubernetes;
``kubectl explain`` names few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kustomizer.diff.model import AnyChange, ValueChange
from kustomizer.manifests.amounts import amount
from kustomizer.manifests.tree import lookup
from kustomizer.masking.marks import ABSENT

_FIELDS = {
    ("", "Secret"): ("type",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "ReplicaSet"): ("spec.selector",),
    ("batch", "Job"): (
        "spec.backoffLimitPerIndex",
        "spec.completionMode",
        "spec.completions",
        "spec.managedBy",
        "spec.podFailurePolicy",
        "spec.selector",
        "spec.successPolicy",
        "spec.template",
    ),
    ("networking.k8s.io", "IngressClass"): ("spec.controller",),
    ("node.k8s.io", "RuntimeClass"): ("handler",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
}
# Kinds of which a field is fixed but for these parts.
_BUT = {
    ("", "PersistentVolume"): (
        "spec",
        (
            "accessModes",
            "capacity",
            "claimRef",
            "mountOptions",
            "persistentVolumeReclaimPolicy",
            "storageClassName",
            "volumeAttributesClassName",
        ),
    ),
    ("", "PersistentVolumeClaim"): ("spec", ("resources.requests", "volumeAttributesClassName")),
    ("", "Pod"): ("spec", ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations")),
    ("apps", "StatefulSet"): (
        "spec",
        (
            "minReadySeconds",
            "ordinals",
            "persistentVolumeClaimRetentionPolicy",
            "replicas",
            "revisionHistoryLimit",
            "template",
            "updateStrategy",
        ),
    ),
}
# Defaults of fixed fields: stating one, or leaving it out, changes nothing.
_DEFAULTS = {
    "podManagementPolicy": "OrderedReady",
    "preemptionPolicy": "PreemptLowerPriority",
    "completionMode": "NonIndexed",
    "completions": 1,
    "reclaimPolicy": "Delete",
    "type": "Opaque",
    "volumeBindingMode": "Immediate",
    "volumeMode": "Filesystem",
}
_SIZE = ["spec", "resources", "requests", "storage"]
_DATA = ("data", "binaryData", "stringData", "immutable")


def immutable_changes(before: Any, after: Any, changes: Sequence[AnyChange]) -> list[AnyChange]:
    """Return the changes of an object that Kubernetes refuses; ``before`` and ``after`` are its trees.

    The object has to have one name in both: a generated ConfigMap with a new name is another object.
    """
    kind = (str(lookup(before, "apiVersion") or "").rpartition("/")[0], str(lookup(before, "kind") or ""))
    return [change for change in changes if _is_fixed(kind, before, after, change)]


def _is_fixed(kind: tuple[str, str], before: Any, after: Any, change: AnyChange) -> bool:
    path = [step if isinstance(step, str) else "" for step in change.path]
    if _is_default(path, change):
        return False
    if kind == ("", "PersistentVolumeClaim") and path == _SIZE:
        # A volume may only grow.
        old, new = (amount(lookup(tree, *_SIZE)) for tree in (before, after))
        return old is not None and new is not None and new < old
    if any(_starts(path, field) for field in _FIELDS.get(kind, ())):
        return True
    if kind in _BUT:
        within, free = _BUT[kind]
        is_image = kind == ("", "Pod") and path[-1] == "image"
        return _starts(path, within) and not any(_starts(path[1:], field) for field in free) and not is_image
    if kind == ("", "Service"):
        return _moves_service(before, after, path, change)
    is_data = kind in (("", "ConfigMap"), ("", "Secret")) and path[0] in _DATA
    return is_data and lookup(before, "immutable") is True


def _is_default(path: Sequence[str], change: AnyChange) -> bool:
    if not isinstance(change, ValueChange) or ABSENT not in (change.before, change.after):
        return False
    stated = change.after if change.before is ABSENT else change.before
    return path[-1] in _DEFAULTS and stated == _DEFAULTS[path[-1]]


def _starts(path: Sequence[str], field: str) -> bool:
    """Tell whether ``path`` is ``field``, or below it."""
    names = field.split(".")
    return list(path[: len(names)]) == names


def _moves_service(before: Any, after: Any, path: Sequence[str], change: AnyChange) -> bool:
    """Tell whether a Service changes its address: removing the field keeps it, another type may change it."""
    if not (_starts(path, "spec.clusterIP") or _starts(path, "spec.clusterIPs")):
        return False
    is_external = "ExternalName" in (lookup(before, "spec", "type"), lookup(after, "spec", "type"))
    return not is_external and isinstance(change, ValueChange) and lookup(after, *path[:2]) not in (None, "", [])
