"""Prints findings as GitHub's annotations: at the lines of the overlay, or at the top of the run without one."""

from __future__ import annotations

from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.wording import summary
from kustomizer.errors import UserError
from kustomizer.findings.github import annotation
from kustomizer.findings.locations import Locations
from kustomizer.findings.model import Finding
from kustomizer.rules import refused_build
from kustomizer.system.visible import visible

TITLE = "tutor-kustomizer diff"


def github_report(comparison: Comparison, locations: Locations | None = None) -> str:
    """Return a workflow command for each finding, and one with the summary."""
    lines = [_line(finding, locations) for finding in comparison.findings]
    return "\n".join([*lines, annotation("info", summary(comparison), title=TITLE)]) + "\n"


def refusal(error: UserError, locations: Locations | None) -> str:
    """Return a workflow command for each reason why there is no comparison."""
    return "".join(f"{_line(finding, locations)}\n" for finding in refused_build.refusal(error))


def _line(finding: Finding, locations: Locations | None) -> str:
    properties = {}
    if locations is not None:
        place = locations.place(finding.problem)
        properties = {"file": place.path, "line": str(place.line)}
    return annotation(finding.severity, visible(str(finding.problem)), **properties, title=visible(finding.rule))
