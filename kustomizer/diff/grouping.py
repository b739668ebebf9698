"""Finds the changes that several objects share, so that reports print each once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from kustomizer.diff.model import AnyChange, ObjectChange, ObjectId, SharedChange, ValueChange

_FEWEST = 2


def groups(objects: Sequence[ObjectChange]) -> tuple[SharedChange, ...]:
    """Return the changes that several objects have in common, the most widely shared first.

    Two changes are the same where their field, the value before and the value after are. Equally shared changes keep
    the order of the objects.
    """
    places: dict[Hashable, tuple[AnyChange, list[ObjectId]]] = {}
    for item in objects:
        for change in item.changes:
            places.setdefault(_same(change), (change, []))[1].append(item.id)
    shared = [SharedChange(change=change, objects=tuple(ids)) for change, ids in places.values() if len(ids) >= _FEWEST]
    return tuple(sorted(shared, key=lambda group: -len(group.objects)))


def _same(change: AnyChange) -> Hashable:
    if isinstance(change, ValueChange):
        # An added item may stand at another place of each object's list.
        change = change.replace(index=None)
    return (type(change).__name__, _frozen(change))


def _frozen(value: Any) -> Hashable:
    """Return a hashable key that is equal for equal values of the same type."""
    if isinstance(value, dict):
        return ("{}", *sorted((key, _frozen(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return ("[]", *map(_frozen, value))
    if hasattr(value, "_fields"):
        return (type(value).__name__, *(_frozen(getattr(value, name)) for name in value._fields))
    return (type(value).__name__, value)
