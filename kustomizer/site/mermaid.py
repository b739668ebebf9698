"""A picture of a site's queues in Mermaid, which GitHub and GitLab draw: tasks routed, queue, worker, its scaler.

They draw no more than 500 arrows and 50,000 characters of text (``maxEdges`` and ``maxTextSize`` of
https://mermaid.js.org/config/schema-docs/config.html, which only a site's own configuration may raise): a picture of
many queues has fewer boxes: a queue's says how many tasks are routed to it, a worker's what scales it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from kustomizer.site.queues import QueueRow

MAX_ARROWS = 500
MAX_TEXT = 50_000

_SHOWN_TASKS = 5
# Mermaid's own 200 pixels are less than a task's name.
_HEAD = ('%%{init: {"flowchart": {"wrappingWidth": 700}}}%%', "flowchart LR")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:/() ")


def mermaid(rows: Sequence[QueueRow]) -> str:
    """Return a flowchart of ``rows``, a frame for each service; the same rows give the same bytes."""
    text, arrows = _drawn(rows, whole=True)
    shown = len(rows)
    while arrows > MAX_ARROWS or len(text) >= MAX_TEXT:
        text, arrows = _drawn(rows[:shown], whole=False, left_out=len(rows) - shown)
        shown = shown * 9 // 10
    return text


def label(*lines: str) -> str:
    """Return ``lines`` as a label of any text: what could mean something to Mermaid is written as a number."""
    return "<br>".join(map(_escaped, lines))


def _escaped(line: str) -> str:
    # Mermaid reads labels as Markdown, where what a line begins with may make it a list: `1. `, `- `.
    plain = [char in _PLAIN and (index > 0 or char.isalpha()) for index, char in enumerate(line)]
    return "".join(char if kept else f"#{ord(char)};" for char, kept in zip(line, plain, strict=True))


def _drawn(rows: Sequence[QueueRow], *, whole: bool, left_out: int = 0) -> tuple[str, int]:
    """Return the picture, and how many arrows are in it."""
    lines = [*_HEAD]
    arrows = 0
    several = len({row.namespace for row in rows}) > 1
    frames = itertools.groupby(rows, key=lambda row: (row.namespace, row.service))
    for number, ((namespace, service), frame) in enumerate(frames, start=1):
        name = service or "no service"
        group = list(frame)
        drawn = list(_arrows(group, f"{number}_", whole=whole))
        arrows += len(drawn)
        lines.append(f'  subgraph s{number}["{label(f"{name} in {namespace}" if several else name)}"]')
        lines += [f"    {line}" for line in [*_boxes(group, f"{number}_", whole=whole), *drawn]]
        lines.append("  end")
    if not rows:
        lines.append('  none["no Celery worker in this site"]')
    if left_out:
        lines.append(f'  more["and {left_out} more"]')
    if any(not row.deployment for row in rows):
        lines.append("  classDef missing stroke:#d00,stroke-width:3px,stroke-dasharray:5")
    return "\n".join([*lines, ""]), arrows


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}


def _boxes(rows: Sequence[QueueRow], prefix: str, *, whole: bool) -> Iterator[str]:
    queues, workers = _numbered(row.queue for row in rows), _numbered(row.deployment for row in rows)
    by_queue = {row.queue: row for row in rows}
    by_worker = {row.deployment: row for row in rows}
    for queue, number in queues.items():
        tasks = by_queue[queue].tasks
        name = queue or "queues that its settings name"
        if tasks and whole:
            more = [f"and {len(tasks) - _SHOWN_TASKS} more"] if len(tasks) > _SHOWN_TASKS else []
            yield f't{prefix}{number}["{label(*tasks[:_SHOWN_TASKS], *more)}"]'
        routed = [f"routed tasks: {len(tasks)}"] if tasks and not whole else []
        yield f'q{prefix}{number}(["{label(name, *routed)}"])'
    for worker, number in workers.items():
        row = by_worker[worker]
        if not worker:
            yield f'w{prefix}{number}["{label("no worker: tasks wait for ever")}"]:::missing'
            continue
        yield f'w{prefix}{number}["{label(worker, *([] if whole else [str(row.scaling)]))}"]'
        if whole:
            yield f'k{prefix}{number}{{{{"{label(*_scaler(row))}"}}}}'


def _scaler(row: QueueRow) -> list[str]:
    guard = str(row.guard)
    return [
        str(row.scaling),
        *([f"a pod per {row.scaling.list_length} queued"] if row.scaling.list_length else []),
        *([f"in flight: {guard}"] if guard else []),
    ]


def _arrows(rows: Sequence[QueueRow], prefix: str, *, whole: bool) -> Iterator[str]:
    queues, workers = _numbered(row.queue for row in rows), _numbered(row.deployment for row in rows)
    for queue in dict.fromkeys(row.queue for row in rows if row.tasks and whole):
        yield f"t{prefix}{queues[queue]} --> q{prefix}{queues[queue]}"
    for row in rows:
        yield f"q{prefix}{queues[row.queue]} --> w{prefix}{workers[row.deployment]}"
    if whole:
        for worker, number in workers.items():
            if worker:
                yield f"w{prefix}{number} -.- k{prefix}{number}"
