"""A site's queues as text: for a terminal, for a page in Markdown, for other programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.site.flower import FlowerRow, flower_sentences
from kustomizer.site.legend import counted, counting, legend
from kustomizer.site.mermaid import mermaid
from kustomizer.site.queues import QueueRow
from kustomizer.system.folding import fold, text_table
from kustomizer.system.visible import visible

VERSION = 1
"""Grows when a field changes its meaning or is removed, not when one is added."""

NONE = "No Celery worker in this site."
NOBODY = "(nobody)"
_UNNAMED = "(its settings say)"
_UNKNOWN = "(not known)"
_MARKDOWN = ("service", "queue", "Deployment", "pods", "queued tasks per pod", "running tasks", "tasks routed to it")
_NAME = re.compile(r"[\w.:/-]+", re.ASCII)
# Markdown's own characters, and the table's.
_MARKS = frozenset("\\`*_[]<>()#!|&~$")


def queues_text(rows: Sequence[QueueRow], width: int, flowers: Sequence[FlowerRow] = ()) -> str:
    """Return ``rows`` as a table of ``width`` columns, with each Flower and the tasks that are routed below it."""
    sentences = flower_sentences(flowers, visible)
    below = [line for sentence in sentences for line in ("", *fold(sentence, width))]
    if not rows:
        return "\n".join([NONE, *below])
    several = len({row.namespace for row in rows}) > 1
    lines = [("app", "queue", "Deployment", "pods", "each", "in flight"), *map(_line, rows)]
    if several:
        namespaces = ["namespace", *(visible(row.namespace) for row in rows)]
        lines = [(namespace, *line) for namespace, line in zip(namespaces, lines, strict=True)]
    explained = [line for sentence in legend(rows) for line in fold(sentence, width)]
    explained = ["", *explained] if explained else []
    return "\n".join([text_table(lines, width), *explained, *below, *_routed(rows)])


def _line(row: QueueRow) -> tuple[str, ...]:
    unnamed = _UNKNOWN if row.service in OPEN_EDX_SERVICES else _UNNAMED
    service, queue = visible(row.service), visible(row.queue or unnamed)
    if not row.deployment:
        return (service, queue, NOBODY, "", "", "")
    length = str(row.scaling.list_length or "")
    return (service, queue, visible(row.deployment), str(row.scaling), length, str(row.guard))


def _routed(rows: Sequence[QueueRow]) -> Iterator[str]:
    for (_, queue), tasks in {(row.namespace, row.queue): row.tasks for row in rows}.items():
        if tasks:
            yield ""
            yield f"routed to {visible(queue)}:"
            yield from (f"  {visible(task)}" for task in tasks)


def queues_markdown(rows: Sequence[QueueRow], flowers: Sequence[FlowerRow] = ()) -> str:
    """Return ``rows`` as a table in Markdown, each Flower, and a picture of the rows."""
    below = [line for sentence in flower_sentences(flowers, _name) for line in ("", sentence)]
    if not rows:
        return "\n".join([NONE, *below])
    table = [_MARKDOWN, ("---",) * len(_MARKDOWN), *map(_cells, rows)]
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    explained = [line for sentence in counting(map(counted, rows)) for line in ("", sentence)]
    return "\n".join([*lines, *explained, *below, "", "```mermaid", f"{mermaid(rows)}```"])


def _cells(row: QueueRow) -> tuple[str, ...]:
    service, queue, deployment, pods, length, _ = _line(row)
    tasks = "<br>".join(map(_name, row.tasks))
    guard = _guard(row) if row.deployment else ""
    return (_plain(service), _name(queue), _name(deployment), pods, length, guard, tasks)


def _guard(row: QueueRow) -> str:
    guard = row.guard
    if guard.late is False:
        return "acknowledged when they begin: lost with their pod"
    parts = [
        "acknowledged when done" if guard.late else "",
        f"{guard.grace_period} s to finish" if guard.grace_period else "",
        f"handed out again after {guard.visibility_timeout} s" if guard.visibility_timeout else "",
        f"counted by KEDA: {guard.counted}" if guard.counted else "",
    ]
    return "; ".join(part for part in parts if part)


def _name(text: str) -> str:
    return f"`{text}`" if _NAME.fullmatch(text) else _plain(text)


def _plain(text: str) -> str:
    return "".join(f"&#{ord(char)};" if char in _MARKS else char for char in visible(" ".join(text.split())))


def queues_data(rows: Iterable[QueueRow]) -> dict[str, Any]:
    """Return ``rows`` as what JSON and YAML can hold."""
    return {"version": VERSION, "queues": [_entry(row) for row in rows]}


def _entry(row: QueueRow) -> dict[str, Any]:
    scaling, guard = row.scaling, row.guard
    return {
        "namespace": row.namespace,
        "service": row.service,
        "queue": row.queue or None,
        "deployment": row.deployment or None,
        "scaling": {
            "by": scaling.by or None,
            "name": scaling.name or None,
            "min": scaling.minimum,
            "max": scaling.maximum,
            "listLength": scaling.list_length,
            "paused": scaling.paused,
        }
        if row.deployment
        else None,
        "inFlight": {
            "acknowledgedLate": guard.late,
            "counted": guard.counted or None,
            "gracePeriodSeconds": guard.grace_period or None,
            "unackedKey": guard.unacked_key or None,
            "visibilityTimeout": guard.visibility_timeout,
        }
        if row.deployment
        else None,
        "tasks": list(row.tasks),
    }
