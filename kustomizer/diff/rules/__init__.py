"""The rules of `tutor-kustomizer diff`: each module is one, with its page as docstring, and ``check``.

The rules of `tutor-kustomizer check` look at one build. `diff` runs them on both builds, and reports what they find in
the second build only.
"""

from __future__ import annotations

from collections.abc import Sequence

from kustomizer import rules as check_rules
from kustomizer.diff.both_builds import masked, new_findings
from kustomizer.diff.model import ObjectChange
from kustomizer.diff.rules import lost_consumer, template_jobs
from kustomizer.diff.sides import Sides
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import id_of, rules_in
from kustomizer.rules import function_warning, orphaned_queue, stale_env

OWN_RULES = rules_in(__name__, __path__)
"""The rules that need two builds, by id."""
RULES = frozenset({*OWN_RULES, *check_rules.RULES})
"""The ids of all rules whose findings `diff` reports."""


def find(sides: Sides, objects: Sequence[ObjectChange]) -> list[Finding]:
    """Return the findings of all rules, the worst first, with secrets masked."""
    if not objects and not sides.renamings:
        # That nothing changes says little where the files weren't saved.
        unsaved = [masked(id_of(stale_env), problem, sides) for problem in stale_env.check(sides.after.site)]
        return unsaved + [
            Finding(rule=id_of(template_jobs), problem=item) for item in template_jobs.check(sides, objects)
        ]
    findings = [
        Finding(rule=rule.id, problem=problem) for rule in OWN_RULES.values() for problem in rule.check(sides, objects)
    ]
    lost = {queue for queue, _worker in lost_consumer.lost_queues(sides)}
    findings += [finding for finding in new_findings(sides, objects) if not _is_duplicate(finding, lost)]
    return sorted(findings, key=lambda finding: finding.order)


def _is_duplicate(finding: Finding, lost: set[str]) -> bool:
    """Tell whether lost-consumer reports the queue, or all of several queues, already."""
    if finding.rule == id_of(function_warning):
        queues = function_warning.queues_without_worker(finding.problem)
        return bool(queues) and queues <= lost
    return finding.rule == id_of(orphaned_queue) and any(f" {queue}," in finding.problem.message for queue in lost)
