"""Helpers that several rules of `diff` use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kustomizer.diff.model import CHANGE, REPLACE, ObjectChange, ObjectId
from kustomizer.diff.sides import Sides
from kustomizer.manifests.pods import CONTAINER_LISTS, template_path
from kustomizer.manifests.tree import list_at, lookup
from kustomizer.system.wording import joined

_SHOWN = 6


def changed(objects: Sequence[ObjectChange], *kinds: str) -> Iterator[ObjectChange]:
    """Yield the objects that are in both builds and differ, of these kinds or of all."""
    for item in objects:
        if item.action in {CHANGE, REPLACE} and (not kinds or item.id.kind in kinds):
            yield item


def templates(sides: Sides, item: ObjectChange) -> tuple[Any, Any, str] | None:
    """Return an object's pod template before and after, masked, and its path; None where one of them is missing."""
    before, after = sides.trees(item.id)
    path = template_path(after)
    if path is None or template_path(before) != path:
        return None
    return lookup(before, *path), lookup(after, *path), "".join(f"{step}." for step in path)


def named(node: Any, field: str) -> dict[str, dict[str, Any]]:
    """Return the items of a list by their names."""
    items = list_at(node, *field.split("."))
    return {str(item.get("name")): item for item in items if isinstance(item, dict)}


def containers(template: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each container of a pod template with its field and its name."""
    for field in CONTAINER_LISTS:
        for name, container in named(template, f"spec.{field}").items():
            yield field, name, container


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, only the first ones where they are many."""
    return joined(list(names), most=_SHOWN)


def names_of(identities: Iterable[ObjectId]) -> list[str]:
    """Return the names of objects, with their kind where it isn't Deployment."""
    return [
        identity.name if identity.kind == "Deployment" else f"{identity.kind} {identity.name}"
        for identity in identities
    ]
