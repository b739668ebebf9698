"""What the saved tasks of a site say of a change to its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.config.model import CeleryWorkers
from kustomizer.config.values import did_you_mean
from kustomizer.errors import INFO, WARNING, Problem
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.task_file import SAVE_AGAIN


def route_notes(known: SiteTasks, service: str, name: str) -> Iterator[Problem]:
    """Yield why a route of a task of ``service`` will have no effect, as far as the saved tasks tell."""
    if service not in known.services:
        return
    task = known.find(service, name)
    if task is None:
        remedy = did_you_mean(name, known.names(service)) or SAVE_AGAIN
        message = f"{service} had no task {name} on {known.asked}: the route has no effect"
        yield Problem(message=message, severity=WARNING, remedy=remedy)
    elif task.names_queue:
        message = f"{name} says itself that it goes to {task.queue}: the route has no effect"
        yield Problem(message=message, severity=WARNING, remedy="Only the task's own code, or the call, can move it")


def queue_notes(known: SiteTasks, config: CeleryWorkers, service: str, queues: Sequence[str]) -> Iterator[Problem]:
    """Yield which of a worker's queues no task goes to, as far as the saved tasks and the configuration tell."""
    routed = {route.queue for table in config.spec.routing.values() for route in table.values()}
    for queue in queues if service in known.services else ():
        if queue not in known.queues | routed:
            yield Problem(
                message=f"no task went to {queue} by itself on {known.asked}",
                severity=INFO,
                remedy=f"Route one there: tutor-kustomizer route {service} TASK {queue}",
            )
