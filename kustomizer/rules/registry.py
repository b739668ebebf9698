"""All rules of `tutor-kustomizer check`, by their ids, and what they find in a site."""

from __future__ import annotations

from kustomizer.findings.model import Finding
from kustomizer.findings.rule import rules_in
from kustomizer.site.model import Site

RULES = rules_in("kustomizer.rules")
"""All rules by their id, in the order of their ids."""

FOR_FLUX = frozenset({"flux-substitution"})
"""Rules that look only at a site that Flux applies."""

FOR_TASKS = frozenset({"idle-queue", "unknown-task"})
"""Rules that look only at a site whose tasks are saved."""

BRIEF = frozenset({"clear-text-password"})
"""Rules whose notes are about what Tutor writes, and alike: several of them are shown in one line."""


def findings_of(site: Site) -> list[Finding]:
    """Return what all rules find in ``site``, the worst first."""
    findings = [Finding(rule=rule.id, problem=problem) for rule in RULES.values() for problem in rule.check(site)]
    return sorted(findings, key=lambda finding: finding.order)
