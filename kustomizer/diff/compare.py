"""Finds the objects that are added, changed, replaced or destroyed, the fields that differ, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kustomizer.diff.changes.trees import tree_changes
from kustomizer.diff.ignores import is_stale, without_ignored
from kustomizer.diff.immutable import immutable_changes
from kustomizer.diff.model import (
    ACTIONS,
    ADD,
    CHANGE,
    DESTROY,
    REPLACE,
    AnyChange,
    Comparison,
    ObjectChange,
    ObjectId,
    SharedChange,
    ValueChange,
)
from kustomizer.diff.prepare import Warnings, prepare
from kustomizer.diff.rules import find
from kustomizer.diff.sides import Sides
from kustomizer.errors import Problem
from kustomizer.findings.ignores import Ignore, Ignored
from kustomizer.manifests.resource import Resources
from kustomizer.masking.marks import ABSENT
from kustomizer.openedx.template_jobs import is_template_job
from kustomizer.site.queues import queues_of


def comparison(
    before: Resources,
    after: Resources,
    *,
    ignores: Sequence[Ignore] = (),
    warnings: Warnings = ((), ()),
    stale: Sequence[Problem] = (),
) -> Comparison:
    """Return the differences between two builds, masked and judged, without those that ``ignores`` match.

    ``warnings`` are what the function said of each, ``stale`` what was found out about the files of the build after.
    Raises UserError where a resource can't be read.
    """
    sides = prepare(before, after, warnings, stale)
    objects = compare(sides)
    kept, findings, ignored = without_ignored(objects, find(sides, objects), ignores)
    # A renaming of an ignored object is ignored, too.
    hidden = {item.id for item in objects} - {item.id for item in kept}
    known = sum(identity in sides.after.resources for identity in sides.before.resources)
    return Comparison(
        objects=kept,
        groups=groups(kept),
        renamings=tuple(item for item in sides.renamings if item.id not in hidden),
        unchanged=known - sum(bool(item.changes) for item in objects),
        findings=findings,
        ignored=tuple(_shown(sides, *entry) for entry in zip(ignores, ignored, strict=True)),
        queues=(tuple(queues_of(sides.before.site)), tuple(queues_of(sides.after.site))),
    )


def _shown(sides: Sides, ignore: Ignore, ignored: Ignored) -> Ignored:
    """Return an entry with secrets masked, since its author may have quoted one, and whether it is stale."""
    masked: str = sides.masks.shown(ABSENT, sides.masks.text(ignored.reason))[1]
    return ignored.replace(
        reason=masked, is_stale=not (ignored.changes or ignored.findings) and is_stale(ignore, sides)
    )


def compare(sides: Sides) -> tuple[ObjectChange, ...]:
    """Return the objects that change, masked, by risk and then by id."""
    changes = [change for identity in sides.identities() if (change := _object(sides, identity)) is not None]
    return tuple(sorted(changes, key=lambda change: (ACTIONS.index(change.action), *change.id.order)))


def _object(sides: Sides, identity: ObjectId) -> ObjectChange | None:
    if sides.is_same(identity):
        return None
    known = [side.resources[identity] for side in (sides.before, sides.after) if identity in side.resources]
    # The rule template-jobs speaks of a template Job of Tutor's that one build alone has.
    if len(known) == 1 and is_template_job(known[0]):
        return None
    before, after = sides.trees(identity)
    versions = (_version(before), _version(after))
    if before is None or after is None:
        tree = before if after is None else after
        return ObjectChange(
            action=DESTROY if after is None else ADD,
            id=identity,
            api_version=versions,
            tree=sides.masks.shown(tree, tree)[0],
        )
    changes = tree_changes(before, after, sides.masks.shown)
    if not changes:
        return None
    has_one_name = known[0].name == known[1].name
    refused = immutable_changes(before, after, changes) if has_one_name else []
    return ObjectChange(
        action=REPLACE if refused else CHANGE,
        id=identity,
        api_version=versions,
        changes=changes,
    )


def _version(tree: Any) -> str:
    return "" if tree is None else str(tree.get("apiVersion", ""))


def groups(objects: Sequence[ObjectChange]) -> tuple[SharedChange, ...]:
    """Return the changes that several objects have in common, the most widely shared first.

    Two changes are the same where their field, the value before and the value after are. Equally shared changes keep
    the order of the objects.
    """
    places: dict[str, tuple[AnyChange, list[ObjectId]]] = {}
    for item in objects:
        for change in item.changes:
            # An added item may stand at another place of each object's list.
            key = change.replace(index=None) if isinstance(change, ValueChange) else change
            # Its repr tells 1 from True and from "1".
            places.setdefault(repr(key), (change, []))[1].append(item.id)
    shared = [SharedChange(change=change, objects=tuple(ids)) for change, ids in places.values() if len(ids) > 1]
    return tuple(sorted(shared, key=lambda group: -len(group.objects)))
