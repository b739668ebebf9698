"""What is left over as text for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from kustomizer.cluster.leftovers import Counted
from kustomizer.system.folding import fold
from kustomizer.system.wording import joined


def leftovers_text(leftovers: Sequence[Counted], width: int) -> str:
    """Return a paragraph for each leftover: why it stays or that it can go, and its objects."""
    return "\n\n".join(_paragraph(counted, width) for counted in leftovers) or "Nothing is left over."


def leftovers_json(leftovers: Sequence[Counted], removed: Collection[str]) -> str:
    """Return the same as JSON, with what was ``removed``, by name."""
    entries = [
        {
            "name": counted.leftover.name,
            "objects": [{"kind": item.kind, "name": item.name} for item in counted.leftover.objects],
            "queues": list(counted.leftover.queues),
            "inFlight": counted.leftover.key or None,
            "tasks": dict(counted.counts),
            "stays": counted.reasons,
            "removed": counted.leftover.name in removed,
        }
        for counted in leftovers
    ]
    return json.dumps({"leftovers": entries}, indent=2)


def _paragraph(counted: Counted, width: int) -> str:
    empty = [*(f"no task on {queue}" for queue in counted.leftover.queues)]
    empty += [f"none in flight under {counted.leftover.key}"] if counted.leftover.key else []
    head = (
        f"{counted.leftover.name} stays: {'; '.join(counted.reasons)}"
        if counted.reasons
        else f"{counted.leftover.name} can go"
    )
    if empty and not counted.reasons:
        head += f": {joined(empty)}"
    lines = ["\n".join(fold(head, width))]
    lines += [f"  {item.kind} {item.name}" for item in counted.leftover.objects]
    return "\n".join(lines)
