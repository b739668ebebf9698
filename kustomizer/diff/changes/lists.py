"""Matches the items of two lists by the keys by which Kubernetes merges them, such as ``name`` for containers.

The keys are those of ``x-kubernetes-list-map-keys`` and ``x-kubernetes-patch-merge-key`` in Kubernetes' OpenAPI
document (https://github.com/kubernetes/kubernetes/blob/master/api/openapi-spec/swagger.json); other lists have the keys
by which people tell the items apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kustomizer.diff.model import Key
from kustomizer.manifests.tree import lookup

# Possible keys by the list's name; the first that identifies every item is used. A field may stand deeper in the item
# (`metadata.name`); `field=value` states its default, and `field?` may be missing.
_KEYS = {
    "conditions": ("type",),
    "endpoints": ("port? targetPort? path?",),
    "envFrom": ("configMapRef.name? secretRef.name? prefix?",),
    "hostAliases": ("ip",),
    "hostIPs": ("ip",),
    "items": ("path", "metadata.name"),
    "matchExpressions": ("key operator",),
    "matchFields": ("key operator",),
    "metrics": (
        "type resource.name? containerResource.name? containerResource.container? pods.metric.name?"
        " object.metric.name? object.describedObject.name? external.metric.name?",
    ),
    "ownerReferences": ("uid", "kind name"),
    "paths": ("path= pathType=",),
    "podIPs": ("ip",),
    "podMetricsEndpoints": ("port? targetPort? path?",),
    "policies": ("type",),
    "ports": ("containerPort protocol=TCP", "port protocol=TCP", "name"),
    "readinessGates": ("conditionType",),
    "rules": ("host=", "alert? record?"),
    "secretTargetRef": ("parameter",),
    "sources": (
        "configMap.name? secret.name? serviceAccountToken.path? clusterTrustBundle.path? podCertificate.keyPath?",
    ),
    "subjects": ("kind name namespace?",),
    "tls": ("secretName",),
    "tolerations": ("key= operator=Equal effect=", "key= operator=Equal value= effect="),
    "topologySpreadConstraints": ("topologyKey whenUnsatisfiable",),
    "triggers": ("name", "type metadata.listName"),
    "volumeClaimTemplates": ("metadata.name",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "x-kubernetes-validations": ("rule",),
}
_BY_NAME = ("name",)
# Keys that need one of these fields in every item: `rules` is an Ingress's list only then.
_NEEDED = {"host=": ("host", "http"), "path= pathType=": ("path", "backend")}


def keys(field: str, before: Sequence[Any], after: Sequence[Any]) -> tuple[list[Key], list[Key]] | None:
    """Return the keys of the items of a list before and after; ``field`` is the list's name.

    Returns None where items have no key, or where two items of one side have the same.
    """
    items = [*before, *after]
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for names in _KEYS.get(field, _BY_NAME):
        needed = _NEEDED.get(names)
        if needed and not all(any(name in item for name in needed) for item in items):
            continue
        item_keys = [_key(item, names) for item in items]
        known = [key for key in item_keys if key is not None]
        older, newer = known[: len(before)], known[len(before) :]
        if len(known) == len(items) and len(set(older)) == len(older) and len(set(newer)) == len(newer):
            return older, newer
    return None


def _key(item: dict[str, Any], names: str) -> Key | None:
    fields = []
    for spelling in names.split():
        is_optional = spelling.endswith("?")
        name, has_default, default = spelling.removesuffix("?").partition("=")
        value = lookup(item, *name.split("."))
        if value is None:
            if has_default:
                fields.append((name, default))
            elif not is_optional:
                return None
        elif isinstance(value, (str, int)):
            fields.append((name, str(value)))
        else:
            return None
    return Key(fields=tuple(fields)) if fields else None
