"""What Flower remembers of the tasks that ran: exact times of the last some thousand, and no longer than it runs.

Its API tells tasks' arguments and results, too: they aren't looked at.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kustomizer.cluster.web import Server
from kustomizer.tasks.numbers import DAY, HOUR, Measured, Numbers, RunTime, at_share, queue_of_node, service_of, span

_MOST = 100_000
"""Tasks that are asked for: Flower's own limit, of which it keeps 10,000 where we set it up."""


def flower_numbers(server: Server, *, window: int) -> tuple[Measured, dict[tuple[str, str], Numbers]]:
    """Return what Flower remembers of the last ``window`` seconds. Raises UserError where that is nothing."""
    end = time.time()
    answer = server.get("/api/tasks", {"limit": str(_MOST), "sort_by": "-received"})
    if not isinstance(answer, dict):
        raise server.problem("it answers, but not as Flower does", f"Is {server.option} the URL of Flower?")
    known = [task for task in answer.values() if isinstance(task, dict) and task.get("name")]
    ended = [task for task in known if _ended(task) > end - window]
    if not ended:
        raise server.problem(f"it knows of no task that has ended in the last {span(window / DAY)}")
    # It forgets the oldest: what it covers begins with the first task that it still has.
    first = min(at for task in known if (at := _number(task.get("received")) or _ended(task)))
    seconds = min(float(window), max(1.0, end - first))
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for task in ended:
        groups.setdefault((service_of(_ran_on(task)), str(task["name"])), []).append(task)
    measured = Measured(source="Flower", days=seconds / DAY, window=window / DAY)
    return measured, {key: _numbers(tasks, seconds, end) for key, tasks in sorted(groups.items())}


def _numbers(tasks: Sequence[Mapping[str, Any]], seconds: float, end: float) -> Numbers:
    succeeded = [task for task in tasks if task.get("state") == "SUCCESS"]
    times = sorted(_number(task.get("runtime")) for task in succeeded)
    hours = [0.0] * max(1, round(seconds / HOUR))
    for task in succeeded:
        ago = min(int((end - _ended(task)) // HOUR), len(hours) - 1)
        hours[-1 - max(0, ago)] += _number(task.get("runtime"))
    return Numbers(
        per_day=len(tasks) / seconds * DAY,
        runs=len(tasks),
        failed=sum(task.get("state") == "FAILURE" for task in tasks),
        seconds=sum(times),
        median=_at(times, 0.5),
        p95=_at(times, 0.95),
        longest=_at(times, 1),
        ran_on=Counter(map(_ran_on, tasks)).most_common(1)[0][0],
        hours=tuple(hours),
    )


def _at(times: Sequence[float], share: float) -> RunTime | None:
    return RunTime(least=at_share(times, share), most=at_share(times, share)) if times else None


def _ended(task: Mapping[str, Any]) -> float:
    return max(_number(task.get("succeeded")), _number(task.get("failed")))


def _ran_on(task: Mapping[str, Any]) -> str:
    return queue_of_node(str(task.get("worker") or ""))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
