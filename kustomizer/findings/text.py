"""Findings as text for a terminal, grouped by rule and remedy."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence

import click

from kustomizer.errors import ERROR, INFO, WARNING
from kustomizer.findings.ignores import Ignored
from kustomizer.findings.model import Finding, count
from kustomizer.system.folding import fold
from kustomizer.system.visible import visible
from kustomizer.system.wording import plural

_COLOURS = {ERROR: "red", WARNING: "yellow", INFO: "blue"}
_INDENT = "  "


def findings_text(findings: Sequence[Finding], width: int, brief: Container[str] = ()) -> str:
    """Return the findings, the worst first, each rule's remedy once for those that share it.

    Several notes of a rule in ``brief`` are one line.
    """
    lines: list[str] = []
    for (severity, rule), members in itertools.groupby(findings, key=lambda finding: (finding.severity, finding.rule)):
        group = list(members)
        if severity == INFO and rule in brief and len(group) > 1:
            folded = "\n".join(fold(f"{severity}: {rule}: {together(group)}", width))
            lines += [folded.replace(severity, _styled(severity), 1), ""]
            continue
        by_remedy: dict[str, dict[str, list[Finding]]] = {}
        for finding in group:
            by_message = by_remedy.setdefault(finding.problem.remedy, {})
            by_message.setdefault(finding.problem.message, []).append(finding)
        lines.append(f"{_styled(severity)}: {rule}")
        for remedy, by_message in by_remedy.items():
            for message, alike in by_message.items():
                for finding in alike:
                    lines += fold(_place(finding), width, _INDENT)
                lines += fold(message, width, _INDENT * 2)
            if remedy:
                lines += fold(f"Remedy: {remedy}.", width, _INDENT)
        lines.append("")
    return "\n".join([*lines, summary(findings)])


def together(findings: Sequence[Finding]) -> str:
    """Return the notes of one rule in a sentence."""
    return f"{plural(len(findings), 'object')} (-o json names each). {findings[0].problem.remedy}."


def summary(findings: Sequence[Finding]) -> str:
    """Return how many findings there are, in words."""
    counts = count(findings)
    if not findings:
        return "No findings."
    return f"{plural(counts[ERROR], 'error')}, {plural(counts[WARNING], 'warning')}, {counts[INFO]} info"


def ignored_text(ignored: Iterable[Ignored], width: int) -> list[str]:
    """Return a line for each entry of the ignore file, folded to ``width``."""
    lines = (f"ignored: {entry.counts}: {visible(entry.reason)}" for entry in ignored)
    return [part for line in lines for part in fold(line, width)]


def _styled(severity: str) -> str:
    return click.style(severity, fg=_COLOURS[severity], bold=True)


def _place(finding: Finding) -> str:
    resource, field = finding.problem.resource, finding.problem.field
    return ": ".join(str(part) for part in (resource, field) if part)
