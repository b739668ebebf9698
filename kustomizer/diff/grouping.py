"""Finds the changes that several objects share, so that reports print each once."""

from __future__ import annotations

from collections.abc import Sequence

from kustomizer.diff.model import AnyChange, ObjectChange, ObjectId, SharedChange, ValueChange

_FEWEST = 2


def groups(objects: Sequence[ObjectChange]) -> tuple[SharedChange, ...]:
    """Return the changes that several objects have in common, the most widely shared first.

    Two changes are the same where their field, the value before and the value after are. Equally shared changes keep
    the order of the objects.
    """
    places: dict[str, tuple[AnyChange, list[ObjectId]]] = {}
    for item in objects:
        for change in item.changes:
            places.setdefault(_same(change), (change, []))[1].append(item.id)
    shared = [SharedChange(change=change, objects=tuple(ids)) for change, ids in places.values() if len(ids) >= _FEWEST]
    return tuple(sorted(shared, key=lambda group: -len(group.objects)))


def _same(change: AnyChange) -> str:
    """Return what equal changes have in common; it tells 1 from True and from "1"."""
    # An added item may stand at another place of each object's list.
    return repr(change.replace(index=None) if isinstance(change, ValueChange) else change)
