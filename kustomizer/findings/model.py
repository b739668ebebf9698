"""A finding of `check`: a problem, with the id of the rule that found it."""

from __future__ import annotations

from collections.abc import Iterable

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.record import Record

SEVERITIES = (ERROR, WARNING, INFO)
"""The worst first."""


class Finding(Record):
    """One thing that a rule found in a build."""

    rule: str
    problem: Problem

    @property
    def severity(self) -> str:
        """One of SEVERITIES."""
        return self.problem.severity

    @property
    def order(self) -> tuple[int | str, ...]:
        """The sort key: the worst first, then by rule and by object."""
        resource, problem = self.problem.resource, self.problem
        names = (resource.namespace, resource.kind, resource.name) if resource else ("", "", "")
        return (SEVERITIES.index(self.severity), self.rule, *names, problem.field, problem.message)


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings there are of each severity."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return counts


def reaches(findings: Iterable[Finding], severity: str) -> bool:
    """Tell whether a finding is as bad as ``severity``, or worse."""
    return any(SEVERITIES.index(finding.severity) <= SEVERITIES.index(severity) for finding in findings)
