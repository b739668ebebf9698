"""Findings as SARIF 2.1.0, which code scanning reads.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; what GitHub needs of it is in
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kustomizer import __version__
from kustomizer.errors import ERROR, INFO, WARNING
from kustomizer.findings.locations import Locations
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}


def findings_sarif(findings: Sequence[Finding], rules: Mapping[str, Rule], locations: Locations) -> str:
    """Return the findings as a SARIF log with one run, in which all rules are described."""
    order = list(rules)
    driver = {
        "name": "tutor-kustomizer",
        "version": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, order.index(finding.rule), locations) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.documentation, "markdown": rule.page},
    }


def _result(finding: Finding, index: int, locations: Locations) -> dict[str, Any]:
    problem = finding.problem
    place = locations.place(problem)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path)},
            "region": {"startLine": place.line},
        }
    }
    if problem.resource is not None:
        resource = problem.resource
        path = "/".join(part for part in (resource.namespace, resource.kind, resource.name) if part)
        name = f"{path}:{problem.field}" if problem.field else path
        location["logicalLocations"] = [{"name": resource.name, "fullyQualifiedName": name, "kind": "object"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": str(problem)},
        "locations": [location],
        # The same finding in the next build is the same alert, wherever it stands in the file by then.
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }


def _fingerprint(finding: Finding) -> str:
    problem = finding.problem
    resource = problem.resource
    names = (resource.kind, resource.namespace, resource.name) if resource else ()
    return hashlib.sha256("\n".join((finding.rule, *names, problem.field)).encode()).hexdigest()[:32]
