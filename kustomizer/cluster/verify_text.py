"""What `verify` found, as text for a terminal and as JSON."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from kustomizer.system.text_table import text_table
from kustomizer.system.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.cluster.verify import Difference, Verified
    from kustomizer.cluster.verify_scaling import Count, Scaled


def verify_text(workers: Sequence[Verified], scaled: Sequence[Scaled], width: int) -> str:
    """Return a table of the workers and one of the ScaledObjects, and below them what differs."""
    parts = [text_table([("worker", "pod", "in force"), *map(_worker_line, workers)], width)]
    if scaled:
        headings = ("scaled worker", "ready", "active", "KEDA counts (Redis has, roughly)")
        parts.append(text_table([headings, *map(_scaled_line, scaled)], width))
    lines = [
        *(line for each in workers for line in _difference_lines(each.worker, each.differences)),
        *(line for each in scaled for line in _difference_lines(each.name, each.differences)),
        *(f"{each.worker}: {note}" for each in workers for note in each.notes),
    ]
    filled = [textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False) for line in lines]
    return "\n\n".join([*parts, *(["\n".join(filled)] if filled else [])])


def verify_json(workers: Sequence[Verified], scaled: Sequence[Scaled]) -> str:
    """Return all that was found as JSON."""
    tree = {
        "workers": [
            {
                "worker": each.worker,
                "pod": each.pod,
                "state": each.state,
                "inForce": each.in_force,
                "differences": [_difference_tree(difference) for difference in each.differences],
                "notes": list(each.notes),
            }
            for each in workers
        ],
        "scaledObjects": [
            {
                "name": each.name,
                "worker": each.worker,
                "ready": each.ready,
                "active": each.active,
                "counts": [_count_tree(count) for count in each.counts],
                "differences": [_difference_tree(difference) for difference in each.differences],
            }
            for each in scaled
        ],
    }
    return json.dumps(tree, indent=2)


def _worker_line(found: Verified) -> tuple[str, str, str]:
    count = len(found.differences)
    said = "as configured" if not count else plural(count, "difference")
    return (found.worker, found.pod or found.state, said if found.pod or count else "")


def _scaled_line(found: Scaled) -> tuple[str, str, str, str]:
    counts = ", ".join(
        f"{count.trigger} {_told(count.keda)} ({_told(count.redis)})" for count in found.counts if count.list_name
    )
    return (found.worker or found.name, found.ready or "not known", found.active or "not known", counts)


def _told(count: float | None) -> str:
    return "?" if count is None else f"{count:g}"


def _difference_lines(name: str, differences: Sequence[Difference]) -> Iterator[str]:
    for each in differences:
        remedy = f". {each.remedy}" if each.remedy else ""
        yield f"{name}: {each.what}: configured: {each.configured}; in force: {each.in_force}{remedy}"


def _difference_tree(difference: Difference) -> dict[str, Any]:
    return {
        "what": difference.what,
        "configured": difference.configured,
        "inForce": difference.in_force,
        "remedy": difference.remedy,
    }


def _count_tree(count: Count) -> dict[str, Any]:
    return {"trigger": count.trigger, "list": count.list_name, "keda": count.keda, "redis": count.redis}
