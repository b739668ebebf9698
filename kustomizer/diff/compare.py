"""Finds the objects that are added, changed, replaced or destroyed, the fields that differ, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kustomizer.diff.changes.trees import tree_changes
from kustomizer.diff.findings import find
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
    path_text,
)
from kustomizer.diff.prepare import Warnings, prepare
from kustomizer.diff.sides import Sides
from kustomizer.errors import ERROR, Problem
from kustomizer.findings import ignores as findings_ignores
from kustomizer.findings.ignores import Ignore, Ignored
from kustomizer.findings.model import Finding
from kustomizer.manifests.resource import Resources
from kustomizer.masking.marks import ABSENT
from kustomizer.openedx.template_jobs import is_template_job
from kustomizer.rules.registry import RULES
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
    shown, findings, ignored = without_ignored(objects, find(sides, objects), ignores)
    # A renaming of an ignored object is ignored, too.
    hidden = {item.id for item in objects} - {item.id for item in shown}
    matched = sum(identity in sides.after.resources for identity in sides.before.resources)
    return Comparison(
        objects=shown,
        groups=groups(shown),
        renamings=tuple(item for item in sides.renamings if item.id not in hidden),
        unchanged=matched - sum(bool(item.changes) for item in objects),
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
    resources = [side.resources[identity] for side in (sides.before, sides.after) if identity in side.resources]
    # The rule template-jobs speaks of a template Job of Tutor's that one build alone has.
    if len(resources) == 1 and is_template_job(resources[0]):
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
    has_one_name = resources[0].name == resources[1].name
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


def without_ignored(
    objects: Sequence[ObjectChange], findings: Sequence[Finding], ignores: Sequence[Ignore]
) -> tuple[tuple[ObjectChange, ...], Sequence[Finding], tuple[Ignored, ...]]:
    """Return a comparison without what the entries match, and what each entry matched; the first one counts it.

    The changes of an object stay where an error about it does.
    """
    findings, matched = findings_ignores.without_ignored(findings, ignores)
    changes = [0] * len(ignores)
    in_error = {_key(finding) for finding in findings if finding.severity == ERROR}
    kept_objects = []
    for item in objects:
        if (item.id.kind, item.id.namespace, item.id.name) in in_error:
            kept_objects.append(item)
            continue
        remaining_changes: list[AnyChange] = []
        for change in item.changes or (None,):
            takers = (index for index, ignore in enumerate(ignores) if _takes_change(ignore, item.id, change))
            taker = next(takers, None)
            if taker is not None:
                changes[taker] += 1
            elif change is not None:
                remaining_changes.append(change)
        if remaining_changes or (not item.changes and taker is None):
            kept_objects.append(item.replace(changes=tuple(remaining_changes)))
    ignored = tuple(entry.replace(changes=number) for entry, number in zip(matched, changes, strict=True))
    return tuple(kept_objects), findings, ignored


def is_stale(ignore: Ignore, sides: Sides) -> bool:
    """Tell whether an entry that took nothing from a comparison has nothing left that it is about.

    A rule of `check` finds the same in every comparison; one of `diff` only in some, so that its object is looked for.
    """
    if ignore.rule in RULES:
        problems = RULES[ignore.rule].check(sides.after.site)
        return not any(ignore.takes(Finding(rule=ignore.rule, problem=problem)) for problem in problems)
    return not any(ignore.is_about(item.kind, item.namespace, item.name) for item in sides.identities())


def _takes_change(ignore: Ignore, identity: ObjectId, change: AnyChange | None) -> bool:
    """Tell whether the entry matches a change of an object; None is the whole object."""
    if ignore.rule or not ignore.is_about(identity.kind, identity.namespace, identity.name):
        return False
    return not ignore.field or (change is not None and ignore.is_above(path_text(change.path)))


def _key(finding: Finding) -> tuple[str, str, str]:
    about = finding.problem.resource
    return (about.kind, about.namespace, about.name) if about else ("", "", "")
