"""Takes out of a comparison what the ignore file sets aside (findings/ignores.py): findings, and changes of fields."""

from __future__ import annotations

from collections.abc import Sequence

from kustomizer.diff.model import AnyChange, ObjectChange, ObjectId, path_text
from kustomizer.diff.sides import Sides
from kustomizer.errors import ERROR
from kustomizer.findings import ignores as findings_ignores
from kustomizer.findings.ignores import Ignore, Ignored
from kustomizer.findings.model import Finding
from kustomizer.rules import RULES


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
        left: list[AnyChange] = []
        for change in item.changes or (None,):
            takers = (index for index, ignore in enumerate(ignores) if _takes_change(ignore, item.id, change))
            taker = next(takers, None)
            if taker is not None:
                changes[taker] += 1
            elif change is not None:
                left.append(change)
        if left or (not item.changes and taker is None):
            kept_objects.append(item.replace(changes=tuple(left)))
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
    """Tell whether the entry matches a change of an object; None stands for the whole object."""
    if ignore.rule or not ignore.is_about(identity.kind, identity.namespace, identity.name):
        return False
    return not ignore.field or (change is not None and ignore.is_above(path_text(change.path)))


def _key(finding: Finding) -> tuple[str, str, str]:
    about = finding.problem.resource
    return (about.kind, about.namespace, about.name) if about else ("", "", "")
