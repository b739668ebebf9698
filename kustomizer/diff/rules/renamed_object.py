"""An object that leaves the build while nearly the same object is added under another name.

Kubernetes doesn't rename: it creates the new object beside the old one, which stays until somebody deletes it. `kubectl
apply` doesn't; Flux and Argo CD do where they prune. Until then a renamed worker runs twice, and the old name of a
Service leads nowhere once its pods are gone. A renamed PersistentVolumeClaim is new and empty.

**Severity:** warning for objects that run, serve or store something; info for others.

**What to do:** keep the name if nothing needs another one. Else apply, wait until the new object is ready, and delete
the old one.

**What isn't seen:** an object that changed in more than its name; it is shown as a destroyed and an added one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

from kustomizer.diff.model import ADD, DESTROY, ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import INFO, WARNING, Problem

_HEAVY = {
    "Deployment": "its pods run beside the old ones until those are deleted",
    "StatefulSet": "it gets new and empty volumes",
    "DaemonSet": "its pods run beside the old ones until those are deleted",
    "CronJob": "both run until the old one is deleted",
    "Service": "whoever uses the old name reaches nothing once that is deleted",
    "Ingress": "both answer for the same hosts until the old one is deleted",
    "PersistentVolumeClaim": "it is new and empty, and the data stays in the old one",
    "Namespace": "everything in it is new",
}
_ALIKE = 0.8
_MOST = 2_000
"""The most pairs of a kind that are compared: among more nobody could tell which is which."""


def check(_sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find objects that are added again under another name."""
    places: dict[tuple[str, str, str], tuple[list[ObjectChange], list[ObjectChange]]] = {}
    for item in objects:
        if item.action in {DESTROY, ADD}:
            namespace = "" if item.id.kind == "Namespace" else item.id.namespace
            both = places.setdefault((item.id.group, item.id.kind, namespace), ([], []))
            both[item.action == ADD].append(item)
    for old, new in (pair for gone, come in places.values() for pair in _pairs(gone, come)):
        heavy = _HEAVY.get(old.id.kind)
        message = f"is deleted and {new.id.name}, which is as good as the same, created: Kubernetes doesn't rename"
        message += f"; {heavy}" if heavy else ""
        remedy = f"Keep the name, or delete {old.id.name} once {new.id.name} is ready"
        yield old.problem(message, remedy, field="metadata.name", severity=WARNING if heavy else INFO)


def _pairs(gone: Sequence[ObjectChange], come: Sequence[ObjectChange]) -> Iterator[tuple[ObjectChange, ObjectChange]]:
    if len(gone) * len(come) > _MOST:
        return
    contents = {id(item): {*_leaves(item.tree, "", item.id.name)} for item in (*gone, *come)}
    scores = sorted(
        (-_alike(contents[id(old)], contents[id(new)]), old.id.name, new.id.name, number, other)
        for number, old in enumerate(gone)
        for other, new in enumerate(come)
    )
    paired: set[ObjectChange | tuple[str, int]] = set()
    for score, _old_name, _new_name, number, other in scores:
        if -score >= _ALIKE and not {("old", number), ("new", other)} & paired:
            paired |= {("old", number), ("new", other)}
            yield gone[number], come[other]


def _alike(old: Set[str], new: Set[str]) -> float:
    return len(old & new) / len(old | new) if old and new else 0.0


def _leaves(node: Any, path: str, name: str) -> Iterator[str]:
    """Yield the leaves of an object's tree, without its own ``name``."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}", name)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, f"{path}[]", name)
    else:
        yield f"{path}: {str(node).replace(name, chr(0))}"
