"""The rules of `tutor-kustomizer diff`: one module each, with its id, its page as docstring, and ``check``.

What can be told from one build alone is told by the rules of `tutor-kustomizer check`: those run on both builds, and
what they find in the second and not in the first is reported here, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer import rules as check_rules

# `as`: without it mypy takes these, on its second run, for names that the package doesn't mean to export.
from kustomizer.diff.rules import (
    changed_kind as changed_kind,
    changed_secret as changed_secret,
    deleted_data as deleted_data,
    dropped_replicas as dropped_replicas,
    image_change as image_change,
    immutable_field as immutable_field,
    left_behind as left_behind,
    lost_consumer as lost_consumer,
    removed_scaler as removed_scaler,
    renamed_object as renamed_object,
    scaled_down as scaled_down,
    stranded_messages as stranded_messages,
)
from kustomizer.diff.rules.both_builds import new_findings
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import DocumentedRule, documentation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kustomizer.diff.model import ObjectChange
    from kustomizer.diff.sides import Sides
    from kustomizer.errors import Problem

_MODULES = (
    changed_kind,
    changed_secret,
    deleted_data,
    dropped_replicas,
    image_change,
    immutable_field,
    left_behind,
    lost_consumer,
    removed_scaler,
    renamed_object,
    scaled_down,
    stranded_messages,
)


class Rule(DocumentedRule):
    """One rule."""

    check: Callable[[Sides, Sequence[ObjectChange]], Iterable[Problem]]


OWN_RULES = {
    module.ID: Rule(id=module.ID, documentation=documentation_of(module), check=module.check) for module in _MODULES
}
"""Those that need two builds, by their id, in the order of their ids."""
RULES = frozenset({*OWN_RULES, *check_rules.RULES})
"""The ids of all rules that `diff` reports."""


def find(sides: Sides, objects: Sequence[ObjectChange]) -> list[Finding]:
    """Return what all rules find in a comparison, the worst first; nothing secret is in it."""
    if not objects and not sides.renamings:
        return []
    found = [Finding(rule=rule.id, problem=each) for rule in OWN_RULES.values() for each in rule.check(sides, objects)]
    lost = {queue for queue, _worker in lost_consumer.lost_queues(sides)}
    found += [finding for finding in new_findings(sides, objects) if not _is_told(finding, lost)]
    return sorted(found, key=lambda finding: finding.order)


def _is_told(finding: Finding, lost: set[str]) -> bool:
    return finding.rule == "orphaned-queue" and any(f" {queue}," in finding.problem.message for queue in lost)
