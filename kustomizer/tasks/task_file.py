"""The tasks of a site in a file that can be committed: names, queues and settings of tasks, nothing secret.

``tutor-kustomizer tasks --save`` writes it, and ``-o json`` prints the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kustomizer.record import Record

if TYPE_CHECKING:
    from kustomizer.tasks.model import SiteTasks

VERSION = 1
"""Grows when a field changes its meaning or is removed, not when one is added."""


def tasks_json(known: SiteTasks) -> str:
    """Return ``known`` as JSON, a line for each value, in an order that makes a good diff."""
    tasks = sorted(known.tasks, key=lambda task: (task.service, task.name))
    tree = {
        "version": VERSION,
        "asked": known.asked,
        "services": {service: dict(known.versions[service]) for service in known.services},
        "tasks": [_tree(task) for task in tasks],
    }
    return json.dumps(tree, indent=1)


def _tree(record: Record) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in record._fields}
    return {_camel(name): _tree(value) if isinstance(value, Record) else value for name, value in values.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
