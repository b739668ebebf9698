"""The tasks of a site in a file that can be committed: names, queues, settings and numbers of tasks, nothing secret.

``tutor-kustomizer tasks --save`` writes it, and ``-o json`` prints the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kustomizer.errors import UserError
from kustomizer.record import Record
from kustomizer.system.files import read_text
from kustomizer.system.record_data import json_name
from kustomizer.tasks.model import SiteTasks, Task, TaskSettings
from kustomizer.tasks.numbers import Measured, Numbers, RunTime

FILE = "celery-tasks.json"
"""What it is called in the directory of an overlay."""
SAVE_AGAIN = "If it is newer, save the tasks again: tutor-kustomizer tasks --save"
VERSION = 1
"""Grows when a field changes its meaning or is removed, not when one is added."""

_RECORDS: dict[str, type[Record]] = {kind.__name__: kind for kind in (TaskSettings, Numbers, RunTime)}


def tasks_json(site_tasks: SiteTasks) -> str:
    """Return a site's tasks as JSON, a line for each value, in an order that makes a good diff."""
    tasks = sorted(site_tasks.tasks, key=lambda task: (task.service, task.name))
    tree = {
        "version": VERSION,
        "asked": site_tasks.asked,
        "services": {service: dict(site_tasks.versions[service]) for service in site_tasks.services},
        "measured": None if site_tasks.measured is None else _tree(site_tasks.measured),
        "tasks": [_tree(task) for task in tasks],
    }
    return json.dumps(tree, indent=1)


def read_tasks(path: Path) -> SiteTasks:
    """Return what ``path`` holds. Raises UserError where it isn't such a file."""
    text = read_text(path)
    try:
        tree = json.loads(text)
        if tree["version"] > VERSION:
            message = f"{path} is of a newer version of this tool (format {tree['version']})"
            raise UserError.of(message, remedy="Upgrade tutor-kustomizer, or save the file again")
        measured = tree.get("measured")
        return SiteTasks(
            asked=str(tree["asked"]),
            versions={str(service): dict(versions) for service, versions in tree["services"].items()},
            measured=None if measured is None else _record(Measured, measured),
            tasks=[_record(Task, task) for task in tree["tasks"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        remedy = f"Write it anew: tutor-kustomizer tasks --save {path}"
        raise UserError.of(f"{path} doesn't hold a site's tasks", remedy=remedy) from None


def saved_tasks(directory: Path) -> SiteTasks | None:
    """Return the tasks that are saved in ``directory``, None where none are. Raises UserError as `read_tasks` does."""
    path = directory / FILE
    return read_tasks(path) if path.is_file() else None


def _tree(record: Record) -> dict[str, Any]:
    return {json_name(name): _plain(getattr(record, name)) for name in record._fields}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        # In one line: there are as many as hours in the window.
        return " ".join(f"{seconds:.4g}" for seconds in value)
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return _tree(value) if isinstance(value, Record) else value


def _record(kind: type[Any], tree: dict[str, Any]) -> Any:
    types = kind.__annotations__
    return kind(**{name: _value(types[name], tree[key]) for name in types if (key := json_name(name)) in tree})


def _value(annotation: str, value: Any) -> Any:
    """Return a field's value, read as its annotation says. Raises TypeError where it is of another type."""
    kind, *alternatives = annotation.split(" | ")
    if value is None and alternatives == ["None"]:
        return None
    if kind in _RECORDS:
        return _record(_RECORDS[kind], value)
    if kind == "Sequence[float]":
        return tuple(map(float, value.split()))
    if not isinstance(value, str if kind == "str" else int | float):
        raise TypeError(kind)
    return value
