"""Findings as JSON, in a form that has a version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kustomizer.findings.ignores import Ignored
from kustomizer.findings.model import Finding, count
from kustomizer.system.record_data import record_data

VERSION = 1
"""Grows when a field changes its meaning or is removed, not when one is added."""


def findings_json(findings: Sequence[Finding], ignored: Sequence[Ignored] = ()) -> str:
    """Return the findings as JSON."""
    document = {
        "version": VERSION,
        "summary": count(findings),
        "findings": [finding_data(finding) for finding in findings],
        "ignored": [ignored_data(entry) for entry in ignored],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return one finding as every JSON report has it."""
    problem = finding.problem
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "resource": record_data(problem.resource),
        "field": problem.field,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def ignored_data(ignored: Ignored) -> dict[str, Any]:
    """Return an entry of the ignore file as every JSON report has it."""
    return {
        "reason": ignored.reason,
        "changes": ignored.changes,
        "findings": ignored.findings,
        "errors": ignored.errors,
        "stale": ignored.is_stale,
    }
