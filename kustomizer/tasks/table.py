"""A site's tasks as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kustomizer.system.folding import text_table
from kustomizer.system.visible import visible
from kustomizer.tasks.model import SiteTasks, Task
from kustomizer.tasks.numbers import amount, duration

_DEPENDS = "(depends on the call)"
_UNKNOWN = "(not known)"
_MARKS = frozenset("\\`*[]<>()#!|&~$")

_NUMBERS = ("a day", "median", "95%", "longest", "failed")

ORDERS: dict[str, Callable[[Task], Any]] = {
    "name": lambda task: "",
    "queue": lambda task: task.after or task.queue,
    "load": lambda task: -(task.numbers.seconds if task.numbers else -1),
}
"""By what tasks can be sorted; among equals by service and name. ``load`` is all their run time together."""


def tasks_text(known: SiteTasks, order: str, width: int) -> str:
    """Return a table of ``width`` columns, and where it is from."""
    return "\n\n".join([text_table(_rows(known, order), width), "\n".join(_sources(known))])


def tasks_markdown(known: SiteTasks, order: str) -> str:
    """Return a table in Markdown, and where it is from."""
    headings, *rows = _rows(known, order)
    table = [headings, ("---",) * len(headings), *(tuple(map(_plain, row)) for row in rows)]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in table), "", *(f"{line}  " for line in _sources(known))])


def _rows(known: SiteTasks, order: str) -> list[tuple[str, ...]]:
    tasks = sorted(known.tasks, key=lambda task: (ORDERS[order](task), task.service, task.name))
    changes, measured = any(map(_after, tasks)), known.measured is not None
    headings = ["app", "task", "queue now", "by", *(["with this build"] if changes else []), "settings"]
    rows = [(*headings, *(_NUMBERS if measured else ()))]
    for task in tasks:
        cells = [task.service, task.name, task.queue or _DEPENDS, f"{task.by}: {task.rule}" if task.rule else task.by]
        cells += [_after(task)] if changes else []
        rows.append(tuple(map(visible, [*cells, _settings(task), *(_numbers(task) if measured else ())])))
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


def _numbers(task: Task) -> Sequence[str]:
    numbers = task.numbers
    if numbers is None:
        return [""] * len(_NUMBERS)
    times = ("" if time is None else time.short for time in (numbers.median, numbers.p95, numbers.longest))
    failed = f"{numbers.failed:,} ({numbers.failed / numbers.runs:.1%})" if numbers.failed else ""
    return [amount(numbers.per_day), *times, failed]


def _sources(site_tasks: SiteTasks) -> list[str]:
    lines = []
    for service in site_tasks.services:
        tasks, versions = [task for task in site_tasks.tasks if task.service == service], site_tasks.versions[service]
        # No worker was asked: other pods load other settings.
        without = "; no worker was asked, so only priorities are shown of the settings"
        lines.append(
            f"{service}: {len(tasks)} tasks, Celery {versions['celery']}, kombu {versions['kombu']}, "
            f"asked on {site_tasks.asked}{without if any(task.settings is None for task in tasks) else ''}"
        )
    lines += [str(site_tasks.measured)] if site_tasks.measured else []
    return [visible(line) for line in lines]


def _plain(text: str) -> str:
    return "".join(f"&#{ord(char)};" if char in _MARKS else char for char in text)
