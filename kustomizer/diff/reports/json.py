"""Prints the comparison as JSON for other programs. Its changes turn the first build into the second.

``actions`` are those of Terraform's plans (https://developer.hashicorp.com/terraform/internals/json-format), so that
what reads a plan reads this: a replaced object is deleted and created.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from kustomizer.diff.model import (
    ADD,
    CHANGE,
    DESTROY,
    REPLACE,
    AnyChange,
    Comparison,
    Key,
    ObjectChange,
    OrderChange,
    TextChange,
    ValueChange,
)
from kustomizer.findings.json import finding_data, ignored_data
from kustomizer.findings.model import count
from kustomizer.masking.marks import Absent
from kustomizer.site.queue_table import queues_data
from kustomizer.system.record_data import record_data

VERSION = 1
"""Increased when a field changes its meaning or is removed, not when one is added."""

ACTIONS = {ADD: ["create"], CHANGE: ["update"], REPLACE: ["delete", "create"], DESTROY: ["delete"]}


def json_report(comparison: Comparison, *, header: Sequence[str] = ()) -> str:
    """Return the report; it ends in a newline. Other characters than ASCII are escaped."""
    document = {
        "version": VERSION,
        "compared": list(header),
        "summary": {
            **{action: comparison.count(action) for action in (ADD, CHANGE, REPLACE, DESTROY)},
            "unchanged": comparison.unchanged,
            "findings": count(comparison.findings),
            "ignored": sum(entry.changes + entry.findings for entry in comparison.ignored),
        },
        "findings": [finding_data(entry) for entry in comparison.findings],
        "groups": [
            {"change": _change(group.change), "objects": record_data(group.objects)} for group in comparison.groups
        ],
        "renamings": record_data(comparison.renamings),
        "queues": {
            "before": queues_data(comparison.queues[0])["queues"],
            "after": queues_data(comparison.queues[1])["queues"],
        },
        "objects": [_object(entry) for entry in comparison.objects],
        "ignored": [ignored_data(entry) for entry in comparison.ignored],
    }
    text = json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"
    # A CI job's runner would take it for a command (findings/github.py); a JSON reader takes both for the same.
    return text.replace("##", "#\\u0023")


def _object(change: ObjectChange) -> dict[str, Any]:
    before, after = change.api_version
    whole = {"before": change.tree} if change.action == DESTROY else {"after": change.tree}
    return {
        "id": record_data(change.id),
        "action": change.action,
        "actions": ACTIONS[change.action],
        "apiVersion": {"before": before, "after": after},
        **(whole if change.action in (ADD, DESTROY) else {"changes": [_change(field) for field in change.changes]}),
    }


def _change(change: AnyChange) -> dict[str, Any]:
    path = [dict(step.fields) if isinstance(step, Key) else step for step in change.path]
    if isinstance(change, ValueChange):
        sides = (("before", change.before), ("after", change.after))
        values = {side: value for side, value in sides if not isinstance(value, Absent)}
        index = {} if change.index is None else {"index": change.index}
        return {"type": "value", "path": path, **values, **index}
    if isinstance(change, TextChange):
        before, after = change.newline_at_end
        at_end = {"before": before, "after": after}
        return {"type": "text", "path": path, "hunks": record_data(change.hunks), "newlineAtEnd": at_end}
    if isinstance(change, OrderChange):
        return {"type": "order", "path": path, "after": [dict(key.fields) for key in change.after]}
    return {
        "type": "arguments",
        "path": path,
        "before": list(change.before),
        "after": list(change.after),
        "notes": list(change.notes),
    }


def _finite(node: Any) -> Any:
    """Return ``node`` with YAML's words for the numbers that JSON lacks, such as ``.inf``."""
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_finite(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return ".nan" if math.isnan(node) else ".inf" if node > 0 else "-.inf"
    return node
