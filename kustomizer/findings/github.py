"""Findings as GitHub's workflow commands, which a job prints and GitHub shows beside the code.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions; what has to be escaped is in
actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from kustomizer.errors import ERROR, INFO, WARNING
from kustomizer.findings.locations import Locations
from kustomizer.findings.model import Finding
from kustomizer.findings.text import together

_COMMANDS = {ERROR: "error", WARNING: "warning", INFO: "notice"}
_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_COMMAND_AT_START = re.compile(r"^((?:\x1b\[[0-9;]*m|[ \t])*)::", re.MULTILINE)
_COMMAND_ANYWHERE = re.compile(r"##(?=\[|vso\[|teamcity\[)")
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def findings_github(findings: Sequence[Finding], locations: Locations, brief: Container[str] = ()) -> str:
    """Return a line for each finding; several notes of a rule in ``brief`` are one. GitHub shows ten of a step."""
    notes: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity == INFO and finding.rule in brief:
            notes.setdefault(finding.rule, []).append(finding)
    several = {rule: own for rule, own in notes.items() if len(own) > 1}
    lines = [
        _line(finding, locations) for finding in findings if finding.severity != INFO or finding.rule not in several
    ]
    whole = locations.whole
    lines += [
        annotation(INFO, together(own), file=whole.path, line=str(whole.line), title=rule)
        for rule, own in several.items()
    ]
    return "\n".join(lines)


def annotation(severity: str, message: str, **properties: str) -> str:
    """Return one workflow command; ``properties`` are those that GitHub knows, such as file, line and title."""
    fields = ",".join(f"{name}={value.translate(_IN_PROPERTY)}" for name, value in properties.items())
    return f"::{_COMMANDS[severity]} {fields}::{message.translate(_IN_DATA)}"


def without_commands(text: str) -> str:
    """Return a report in which no line is a command of a CI job's runner, whatever the manifests hold.

    GitHub's runner takes a line for a command that begins with two colons, behind blanks, too, or has ``##[`` anywhere
    (actions/runner, src/Runner.Common/ActionCommand.cs); Azure's and TeamCity's have words between the two.
    """
    return _COMMAND_ANYWHERE.sub(r"#\\x23", _COMMAND_AT_START.sub(r"\1\\x3a:", text))


def _line(finding: Finding, locations: Locations) -> str:
    place = locations.place(finding.problem)
    return annotation(finding.severity, str(finding.problem), file=place.path, line=str(place.line), title=finding.rule)
