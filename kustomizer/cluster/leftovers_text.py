"""What is left over as text for a terminal, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kustomizer.system.folding import fold
from kustomizer.system.wording import joined

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kustomizer.cluster.leftovers import Counted


def leftovers_text(found: Sequence[Counted], width: int) -> str:
    """Return a paragraph for each leftover: why it stays or that it can go, and its objects."""
    return "\n\n".join(_paragraph(each, width) for each in found) or "Nothing is left over."


def leftovers_json(found: Sequence[Counted], removed: Collection[str]) -> str:
    """Return the same as JSON, with what was ``removed``, by name."""
    entries = [
        {
            "name": each.found.name,
            "objects": [{"kind": item.kind, "name": item.name} for item in each.found.objects],
            "queues": list(each.found.queues),
            "inFlight": each.found.key or None,
            "tasks": dict(each.counts),
            "stays": each.reasons,
            "removed": each.found.name in removed,
        }
        for each in found
    ]
    return json.dumps({"leftovers": entries}, indent=2)


def _paragraph(each: Counted, width: int) -> str:
    empty = [*(f"no task on {queue}" for queue in each.found.queues)]
    empty += [f"none in flight under {each.found.key}"] if each.found.key else []
    head = f"{each.found.name} stays: {'; '.join(each.reasons)}" if each.reasons else f"{each.found.name} can go"
    if empty and not each.reasons:
        head += f": {joined(empty)}"
    lines = ["\n".join(fold(head, width))]
    lines += [f"  {item.kind} {item.name}" for item in each.found.objects]
    return "\n".join(lines)
