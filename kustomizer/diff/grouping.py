"""What many objects share, said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.model import Change, Group

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from kustomizer.diff.model import AnyChange, ObjectChange, ObjectId

_FEWEST = 2


def groups(objects: Sequence[ObjectChange]) -> tuple[Group, ...]:
    """Return the changes that several objects have in common, the most widely shared first.

    The same change is one of the same field, from the same to the same; of equally shared ones the first one found.
    """
    found: dict[Hashable, tuple[AnyChange, list[ObjectId]]] = {}
    for each in objects:
        for change in each.changes:
            found.setdefault(_same(change), (change, []))[1].append(each.id)
    shared = [Group(change=change, objects=tuple(ids)) for change, ids in found.values() if len(ids) >= _FEWEST]
    return tuple(sorted(shared, key=lambda group: -len(group.objects)))


def _same(change: AnyChange) -> Hashable:
    if isinstance(change, Change):
        # Where in its list an added item stands is another matter.
        change = change.replace(index=None)
    return (type(change).__name__, _frozen(change))


def _frozen(value: Any) -> Hashable:
    """Return what is hashable, and equal where the values are the same, of the same type."""
    if isinstance(value, dict):
        return ("{}", *sorted((key, _frozen(each)) for key, each in value.items()))
    if isinstance(value, (list, tuple)):
        return ("[]", *map(_frozen, value))
    if hasattr(value, "_fields"):
        return (type(value).__name__, *(_frozen(getattr(value, name)) for name in value._fields))
    return (type(value).__name__, value)
