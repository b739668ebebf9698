"""Prints findings as GitHub's annotations. A comparison has no file with lines, so they stand at the top of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.diff.reports.wording import summary
from kustomizer.findings.github import annotation
from kustomizer.system.visible import visible

if TYPE_CHECKING:
    from kustomizer.diff.model import Comparison

TITLE = "tutor-kustomizer diff"


def github_report(comparison: Comparison) -> str:
    """Return a workflow command for each finding, and one with the summary."""
    lines = [
        annotation(finding.severity, visible(str(finding.problem)), title=visible(finding.rule))
        for finding in comparison.findings
    ]
    return "\n".join([*lines, annotation("info", summary(comparison), title=TITLE)]) + "\n"
