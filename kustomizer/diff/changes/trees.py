"""Finds the fields of an object that differ.

The items of two lists are matched by the keys by which Kubernetes merges them, such as ``name`` for containers. The
keys are those of ``x-kubernetes-list-map-keys`` and ``x-kubernetes-patch-merge-key`` in Kubernetes' OpenAPI document
(https://github.com/kubernetes/kubernetes/blob/master/api/openapi-spec/swagger.json); other lists have the keys by which
people tell the items apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kustomizer.diff.changes.arguments import argument_changes
from kustomizer.diff.changes.texts import text_change
from kustomizer.diff.model import AnyChange, Key, OrderChange, Path, ValueChange
from kustomizer.manifests.amounts import amount
from kustomizer.manifests.equality import same
from kustomizer.manifests.pods import CONTAINER_LISTS
from kustomizer.manifests.tree import lookup

Shown = Callable[[Any, Any], tuple[Any, Any]]


def tree_changes(before: Any, after: Any, shown: Shown) -> tuple[AnyChange, ...]:
    """Return the changes between two trees by path; ``shown`` makes two values printable."""
    return tuple(_TreeComparison(shown).values((), before, after))


class _TreeComparison:
    """Compares two trees from the root down."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown

    def values(self, path: Path, before: Any, after: Any) -> Iterator[AnyChange]:
        if same(before, after) or (is_amount(path) and amount(before) == amount(after) is not None):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.mappings(path, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self.lists(path, before, after)
        elif isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
            yield text_change(path, before, after, self.shown)
        else:
            old, new = self.shown(before, after)
            yield ValueChange(path=path, before=old, after=new)

    def mappings(self, path: Path, before: dict[str, Any], after: dict[str, Any]) -> Iterator[AnyChange]:
        is_container = len(path) > 1 and path[-2] in CONTAINER_LISTS
        arguments = argument_changes(path, before, after, self.shown) if is_container else {}
        for key in sorted({*before, *after}):
            if key in arguments:
                yield arguments[key]
            elif key not in after:
                yield self.removed((*path, key), before[key])
            elif key not in before:
                yield self.added((*path, key), after[key])
            else:
                yield from self.values((*path, key), before[key], after[key])

    def lists(self, path: Path, before: Sequence[Any], after: Sequence[Any]) -> Iterator[AnyChange]:
        item_keys = keys(str(path[-1]) if path else "", before, after)
        if item_keys is not None:
            yield from self.keyed(
                path, dict(zip(item_keys[0], before, strict=True)), dict(zip(item_keys[1], after, strict=True))
            )
        elif _goes_by_position(before, after):
            shorter = min(len(before), len(after))
            for index in range(shorter):
                yield from self.values((*path, index), before[index], after[index])
            # From the end, so that the indexes stay right while items are removed.
            for index in range(len(before) - 1, shorter - 1, -1):
                yield self.removed((*path, index), before[index])
            for index in range(shorter, len(after)):
                yield self.added((*path, index), after[index])
        else:
            old, new = self.shown(before, after)
            yield ValueChange(path=path, before=old, after=new)

    def keyed(self, path: Path, before: dict[Key, Any], after: dict[Key, Any]) -> Iterator[AnyChange]:
        for key, value in before.items():
            here = (*path, self.step(key))
            if key in after:
                yield from self.values(here, value, after[key])
            else:
                yield self.removed(here, value)
        for index, (key, value) in enumerate(after.items()):
            if key not in before:
                yield self.added((*path, self.step(key)), value, index=index)
        if [key for key in before if key in after] != [key for key in after if key in before]:
            yield OrderChange(path=path, after=tuple(self.step(key) for key in after))

    def step(self, key: Key) -> Key:
        return Key(fields=tuple((name, self.shown(value, value)[0]) for name, value in key.fields))

    def removed(self, path: Path, value: Any) -> ValueChange:
        return ValueChange(path=path, before=self.shown(value, value)[0])

    def added(self, path: Path, value: Any, *, index: int | None = None) -> ValueChange:
        return ValueChange(path=path, after=self.shown(value, value)[0], index=index)


_AMOUNTS = (
    ("resources", ("requests", "limits"), ""),
    ("spec", ("hard", "capacity", "overhead"), ""),
    ("target", ("averageValue", "value")),
    ("emptyDir", ("sizeLimit",)),
    ("resourceFieldRef", ("divisor",)),
    ("limits", ("default", "defaultRequest", "max", "maxLimitRequestRatio", "min"), ""),
)
"""The ends of the paths of amounts: a name, one of several names, any name."""


def is_amount(path: Path) -> bool:
    """Tell whether Kubernetes reads an amount at ``path``, so that ``1Gi`` and ``1024Mi`` are the same."""
    names = [step for step in path if isinstance(step, str)]
    for pattern in _AMOUNTS:
        end = names[-len(pattern) :]
        if len(end) == len(pattern) and end[0] == pattern[0] and end[1] in pattern[1]:
            return True
    return False


def _goes_by_position(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Tell whether items at the same place can be compared: none was inserted, removed or moved in between."""
    if len(before) == len(after):
        nested = any(isinstance(value, (dict, list)) for value in [*before, *after])
        return nested or sorted(map(repr, before)) != sorted(map(repr, after))
    return all(map(same, before, after))


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
