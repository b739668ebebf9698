"""Two small builds, and what a rule says of going from the one to the other."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from kustomizer.diff.compare import compare
from kustomizer.diff.findings import find
from kustomizer.diff.prepare import prepare
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from tests.rules.small_site import resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.errors import Problem
    from kustomizer.findings.model import Finding


def findings(before: Sequence[str], after: Sequence[str], warnings: Sequence[Problem] = ()) -> list[Finding]:
    """Return what all rules find; ``warnings`` are what the function said of the second build."""
    sides = prepare(_resources(before), _resources(after), ((), warnings))
    return find(sides, compare(sides))


def problems(rule: str, before: Sequence[str], after: Sequence[str]) -> list[Problem]:
    """Return what one rule finds."""
    return [finding.problem for finding in findings(before, after) if finding.rule == rule]


def found(rule: str, before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]]:
    """Return the severity of what one rule finds, and the resource's name."""
    return [(each.severity, each.resource.name if each.resource else "") for each in problems(rule, before, after)]


def secret(name: str, value: str) -> str:
    """Return a Secret."""
    return resource("Secret", name, data={"password": base64.b64encode(value.encode()).decode()})


def changed(text: str, **fields: Any) -> str:
    """Return an object with fields set, by paths with double underscores: ``spec__replicas=0``; None takes one out."""
    tree = json.loads(text)
    for path, value in fields.items():
        *steps, last = path.split("__")
        node = tree
        for step in steps:
            node = node[int(step)] if step.isdecimal() else node.setdefault(step, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return json.dumps(tree) + "\n"


def _resources(documents: Sequence[str]) -> Resources:
    return Resources(read_stream("---\n".join(documents).encode(), b"{}").resources)
