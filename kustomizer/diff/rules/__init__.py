"""The rules of `tutor-kustomizer diff`: one module each, with its id, its page as docstring, and ``check``.

The rules of `tutor-kustomizer check` look at one build. `diff` runs them on both builds, and reports what they find in
the second build only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kustomizer import rules as check_rules
from kustomizer.diff.model import ObjectChange

# `as` exports the modules: without it mypy refuses them on its second run.
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
    template_jobs as template_jobs,
)
from kustomizer.diff.rules.both_builds import masked, new_findings
from kustomizer.diff.sides import Sides
from kustomizer.errors import Problem
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import DocumentedRule, documentation_of
from kustomizer.rules import function_warning, orphaned_queue, stale_env

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
    template_jobs,
)


class ComparisonRule(DocumentedRule):
    """A rule that looks at two builds."""

    check: Callable[[Sides, Sequence[ObjectChange]], Iterable[Problem]]


OWN_RULES = {
    module.ID: ComparisonRule(id=module.ID, documentation=documentation_of(module), check=module.check)
    for module in _MODULES
}
"""The rules that need two builds, by id."""
RULES = frozenset({*OWN_RULES, *check_rules.RULES})
"""The ids of all rules whose findings `diff` reports."""


def find(sides: Sides, objects: Sequence[ObjectChange]) -> list[Finding]:
    """Return the findings of all rules, the worst first, with secrets masked."""
    if not objects and not sides.renamings:
        # That nothing changes says little where the files weren't saved.
        unsaved = [masked(stale_env.ID, problem, sides) for problem in stale_env.check(sides.after.site)]
        return unsaved + [Finding(rule=template_jobs.ID, problem=item) for item in template_jobs.check(sides, objects)]
    findings = [
        Finding(rule=rule.id, problem=problem) for rule in OWN_RULES.values() for problem in rule.check(sides, objects)
    ]
    lost = {queue for queue, _worker in lost_consumer.lost_queues(sides)}
    findings += [finding for finding in new_findings(sides, objects) if not _is_duplicate(finding, lost)]
    return sorted(findings, key=lambda finding: finding.order)


def _is_duplicate(finding: Finding, lost: set[str]) -> bool:
    """Tell whether lost-consumer reports the queue, or all of several queues, already."""
    if finding.rule == function_warning.ID:
        queues = function_warning.queues_without_worker(finding.problem)
        return bool(queues) and queues <= lost
    return finding.rule == orphaned_queue.ID and any(f" {queue}," in finding.problem.message for queue in lost)
