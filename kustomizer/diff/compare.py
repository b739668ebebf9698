"""Finds the objects that are added, changed, replaced or destroyed, and the fields that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kustomizer.diff.changes.trees import tree_changes
from kustomizer.diff.grouping import groups
from kustomizer.diff.ignores import is_stale, without_ignored
from kustomizer.diff.immutable import immutable_changes
from kustomizer.diff.model import ACTIONS, ADD, CHANGE, DESTROY, REPLACE, Comparison, ObjectChange, ObjectId
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
    kept = without_ignored(objects, find(sides, objects), ignores)
    # A renaming of an ignored object is ignored, too.
    hidden = {item.id for item in objects} - {item.id for item in kept.objects}
    known = sum(identity in sides.after.resources for identity in sides.before.resources)
    return Comparison(
        objects=kept.objects,
        groups=groups(kept.objects),
        renamings=tuple(item for item in sides.renamings if item.id not in hidden),
        unchanged=known - sum(bool(item.changes) for item in objects),
        findings=kept.findings,
        ignored=tuple(_shown(sides, ignore, ignored) for ignore, ignored in zip(ignores, kept.ignored, strict=True)),
        queues=(tuple(queues_of(sides.before.site)), tuple(queues_of(sides.after.site))),
    )


def _shown(sides: Sides, ignore: Ignore, ignored: Ignored) -> Ignored:
    """Return an entry with secrets masked, since its author may have quoted one, and whether it is stale."""
    masked: str = sides.shown(ABSENT, sides.masks.text(ignored.reason))[1]
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
    if _is_template_alone(sides, identity):
        return None
    before, after = sides.trees(identity)
    versions = (_version(before), _version(after))
    if before is None or after is None:
        tree = before if after is None else after
        return ObjectChange(
            action=DESTROY if after is None else ADD,
            id=identity,
            api_version=versions,
            tree=sides.shown(tree, tree)[0],
        )
    changes = tree_changes(before, after, sides.shown)
    if not changes:
        return None
    refused = immutable_changes(before, after, changes) if sides.has_one_name(identity) else []
    return ObjectChange(
        action=REPLACE if refused else CHANGE,
        id=identity,
        api_version=versions,
        changes=changes,
    )


def _is_template_alone(sides: Sides, identity: ObjectId) -> bool:
    """Tell whether one build alone has a template Job of Tutor's: the rule template-jobs says so."""
    found = [side.resources[identity] for side in (sides.before, sides.after) if identity in side.resources]
    return len(found) == 1 and is_template_job(found[0])


def _version(tree: Any) -> str:
    return "" if tree is None else str(tree.get("apiVersion", ""))
