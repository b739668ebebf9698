"""A week of Flower's metrics as a Prometheus has recorded them: made of runs of tasks, and filled in by promtool.

As Flower has it, a series begins with the first event of its kind, and histograms have the buckets that
``spec.flower`` states.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from kustomizer.transform.flower.options import _BUCKETS
from tests import parts
from tests.prometheus_process import Prometheus, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HOUR, DAY = 3600, 86400
WEEK = 7 * DAY
STEP = 240
"""Seconds between two samples: less than the five minutes that Prometheus looks back."""


class Run(NamedTuple):
    """A run of a task that has ended."""

    task: str
    worker: str
    ago: float
    """Seconds since it ended."""
    seconds: float
    failed: bool = False


def every(period: float, task: str, worker: str, seconds: float) -> list[Run]:
    """Return a run that ends each ``period`` seconds, the last one half a period ago."""
    return [Run(task, worker, period * (number + 0.5), seconds) for number in range(int((WEEK + DAY) // period))]


@contextlib.contextmanager
def recorded(directory: Path, runs: Sequence[Run]) -> Iterator[Prometheus]:
    """Run a Prometheus that has recorded a week of these runs, and a day before it."""
    promtool = parts.program("promtool")
    directory.mkdir(parents=True)
    text = directory / "week.txt"
    with text.open("w") as file:
        file.writelines(_lines(runs, time.time(), 'namespace="openedx",service="flower"'))
    command = [promtool, "tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics"]
    subprocess.run([*command, text, directory / "data"], check=True, capture_output=True)
    with prometheus(directory / "prometheus", data=directory / "data") as running:
        yield running


def _lines(runs: Sequence[Run], now: float, more: str) -> Iterator[str]:
    counters: dict[str, Counter[str]] = {"flower_events": Counter(), "flower_task_runtime_seconds": Counter()}
    waiting = sorted(runs, key=lambda run: run.ago)
    workers = {run.worker for run in runs}
    series: dict[str, list[str]] = {}
    for ago in range(WEEK + DAY, -1, -STEP):
        while waiting and waiting[-1].ago >= ago:
            _count(counters, waiting.pop(), more)
        for worker in workers:
            counters["flower_events"][
                f'flower_events_total{{task="",type="worker-heartbeat",worker="{worker}",{more}}}'
            ] += STEP
        for found in counters.values():
            for name, value in found.items():
                series.setdefault(name, []).append(f"{name} {value:g} {now - ago:.3f}\n")
    for family, kind in (("flower_events", "counter"), ("flower_task_runtime_seconds", "histogram")):
        yield f"# TYPE {family} {kind}\n"
        for name, lines in series.items():
            if name.startswith(family):
                yield from lines
    yield "# EOF\n"


def _count(counters: dict[str, Counter[str]], run: Run, more: str) -> None:
    labels = f'task="{run.task}",worker="{run.worker}",{more}'
    kind = "task-failed" if run.failed else "task-succeeded"
    counters["flower_events"][f'flower_events_total{{type="{kind}",{labels}}}'] += 1
    if run.failed:
        return
    times = counters["flower_task_runtime_seconds"]
    for bound in _BUCKETS:
        times[f'flower_task_runtime_seconds_bucket{{le="{float(bound)}",{labels}}}'] += run.seconds <= bound
    times[f'flower_task_runtime_seconds_bucket{{le="+Inf",{labels}}}'] += 1
    times[f"flower_task_runtime_seconds_count{{{labels}}}"] += 1
    times[f"flower_task_runtime_seconds_sum{{{labels}}}"] += run.seconds  # type: ignore[assignment]
