"""Tasks of a site as they are known, with numbers as a test wants them."""

from __future__ import annotations

from typing import Any

from kustomizer.tasks.model import SiteTasks, Task, TaskSettings
from kustomizer.tasks.numbers import Measured, Numbers, RunTime

DEFAULT, HIGH, HIGH_MEM = (f"edx.lms.core.{name}" for name in ("default", "high", "high_mem"))
WEEK = Measured(source="Prometheus", days=7, window=7, top_bucket=7200)


def between(least: float, most: float | None) -> RunTime:
    """Return a run time between two bounds."""
    return RunTime(least=least, most=most)


def numbers(per_day: float, longest: RunTime, p95: RunTime | None = None, **more: Any) -> Numbers:
    """Return what was measured in a week of a task that never failed."""
    runs = round(per_day * 7)
    given = {"seconds": runs * longest.least, "hours": (per_day * longest.least / 24,) * 168, **more}
    return Numbers(
        per_day=per_day, runs=runs, failed=0, median=p95 or longest, p95=p95 or longest, longest=longest, **given
    )


def known(name: str, queue: str = DEFAULT, *, late: bool | None = None, **more: Any) -> Task:
    """Return a task of the service that the queue is of."""
    settings = TaskSettings(
        time_limit=None, soft_time_limit=None, acks_late=bool(late), ignore_result=False, rate_limit=None, max_retries=3
    )
    given = {"by": "default queue", "rule": "", "after": queue, "priority": None, **more}
    service = given.pop("service", queue.partition("edx.")[2].partition(".")[0])
    return Task(service=service, name=name, queue=queue, settings=None if late is None else settings, **given)


def site_tasks(*tasks: Task, measured: Measured | None = WEEK) -> SiteTasks:
    """Return these tasks as what a site was asked."""
    versions = {service: {"celery": "5.5.3", "kombu": "5.5.4"} for service in ("cms", "lms")}
    return SiteTasks(asked="2026-11-29", versions=versions, tasks=tasks, measured=measured)
