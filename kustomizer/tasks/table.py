"""A site's tasks as text for a terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.system.text_table import text_table
from kustomizer.system.visible import visible
from kustomizer.tasks.model import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kustomizer.tasks.model import SiteTasks, Task

_DEPENDS = "(depends on the call)"
_UNKNOWN = "(not known)"
_MARKS = frozenset("\\`*[]<>()#!|&~$")

ORDERS: dict[str, Callable[[Task], str]] = {"name": lambda task: "", "queue": lambda task: task.after or task.queue}
"""By what tasks can be sorted; among equals by service and name."""


def tasks_text(known: SiteTasks, order: str, width: int) -> str:
    """Return a table of ``width`` columns, and where it is from."""
    return "\n\n".join([text_table(_rows(_in_order(known, order)), width), "\n".join(_sources(known))])


def tasks_markdown(known: SiteTasks, order: str) -> str:
    """Return a table in Markdown, and where it is from."""
    headings, *rows = _rows(_in_order(known, order))
    table = [headings, ("---",) * len(headings), *(tuple(map(_plain, row)) for row in rows)]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in table), "", *(f"{line}  " for line in _sources(known))])


def _in_order(known: SiteTasks, order: str) -> list[Task]:
    return sorted(known.tasks, key=lambda task: (ORDERS[order](task), task.service, task.name))


def _rows(tasks: Sequence[Task]) -> list[tuple[str, ...]]:
    changes = any(map(_after, tasks))
    rows = [("app", "task", "queue now", "by", *(["with this build"] if changes else []), "settings")]
    for task in tasks:
        cells = [task.service, task.name, task.queue or _DEPENDS, f"{task.by}: {task.rule}" if task.rule else task.by]
        cells += [_after(task)] if changes else []
        rows.append(tuple(map(visible, [*cells, _settings(task)])))
    return rows


def _after(task: Task) -> str:
    if task.after is None:
        return _UNKNOWN
    return "" if task.after == task.queue else task.after or _DEPENDS


def _settings(task: Task) -> str:
    parts = [f"priority {task.priority:g}" if task.priority else ""]
    settings = task.settings
    if settings is not None:
        limits = [duration(limit) for limit in (settings.soft_time_limit, settings.time_limit) if limit]
        parts += [
            "" if settings.acks_late else "early",
            f"limit {' / '.join(limits)}" if limits else "",
            f"{settings.rate_limit} at the most" if settings.rate_limit else "",
            "no result" if settings.ignore_result else "",
        ]
    return ", ".join(filter(None, parts))


def _sources(known: SiteTasks) -> list[str]:
    lines = []
    for service in known.services:
        tasks, versions = [task for task in known.tasks if task.service == service], known.versions[service]
        # No worker was asked: other pods load other settings.
        without = "; no worker was asked, so only priorities are shown of the settings"
        lines.append(
            f"{service}: {len(tasks)} tasks, Celery {versions['celery']}, kombu {versions['kombu']}, "
            f"asked on {known.asked}{without if any(task.settings is None for task in tasks) else ''}"
        )
    return [visible(line) for line in lines]


def _plain(text: str) -> str:
    return "".join(f"&#{ord(char)};" if char in _MARKS else char for char in text)
