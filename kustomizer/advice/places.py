"""Where a task runs: where the router sends it, unless its worker tells that calls name another queue."""

from __future__ import annotations

from collections.abc import Mapping

from kustomizer.config.worker import DEFAULT, deployment_name
from kustomizer.tasks.model import Task


def queue_in_fact(task: Task, consumers: Mapping[str, str]) -> str:
    """Return the queue of a task, by what was measured; ``consumers`` are the Deployments by the queues they take."""
    ran_on = _ran_on(task)
    if not ran_on or ran_on in {consumers.get(task.queue), consumers.get(task.destination)}:
        return task.destination
    return next((queue for queue, deployment in consumers.items() if deployment == ran_on), task.destination)


def _ran_on(task: Task) -> str:
    """Return the Deployment that ran a task most, empty where the worker's name doesn't tell.

    Nor does a default worker: on a site that wasn't split yet it ran what goes to any queue.
    """
    parts = task.numbers.ran_on.split(".") if task.numbers is not None else []
    # edx.lms.core.high_mem
    if len(parts) != 4 or parts[3] == DEFAULT:  # noqa: PLR2004
        return ""
    return deployment_name(parts[1], parts[3])
