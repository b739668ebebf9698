"""Prints findings as GitHub's annotations: at the lines of the overlay, or at the top of the run without one."""

from __future__ import annotations

from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.wording import summary
from kustomizer.errors import UserError
from kustomizer.findings.github import annotation
from kustomizer.findings.model import Finding
from kustomizer.findings.source import Source
from kustomizer.rules import refused_build
from kustomizer.system.visible import visible

TITLE = "tutor-kustomizer diff"


def github_report(comparison: Comparison, source: Source | None = None) -> str:
    """Return a workflow command for each finding, and one with the summary."""
    lines = [_line(finding, source) for finding in comparison.findings]
    return "\n".join([*lines, annotation("info", summary(comparison), title=TITLE)]) + "\n"


def refusal(error: UserError, source: Source | None) -> str:
    """Return a workflow command for each reason why there is no comparison."""
    return "".join(f"{_line(finding, source)}\n" for finding in refused_build.refusal(error))


def _line(finding: Finding, source: Source | None) -> str:
    properties = {}
    if source is not None:
        place = source.place(finding.problem)
        properties = {"file": place.path, "line": str(place.line)}
    return annotation(finding.severity, visible(str(finding.problem)), **properties, title=visible(finding.rule))
