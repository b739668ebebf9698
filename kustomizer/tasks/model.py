"""The tasks of a site as its own Celery knows them, and what was measured of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kustomizer.config.worker import DEFAULT, deployment_name
from kustomizer.record import Record
from kustomizer.tasks.numbers import Measured, Numbers

OWN_QUEUE = "queue= of the task"
"""What decides a task's queue where the task says so itself: no route has any effect then."""


class TaskSettings(Record):
    """What holds for a task in a worker, by the task itself or by the settings that this worker loads."""

    time_limit: float | None
    """Seconds; a worker's own ``--time-limit`` isn't looked at."""
    soft_time_limit: float | None
    acks_late: bool
    """Whether it is acknowledged when it is done."""
    ignore_result: bool
    rate_limit: str | None
    max_retries: int | None


class Task(Record):
    """A task that is registered with a service, and where that service sends it."""

    service: str
    name: str
    queue: str
    """The queue it goes to now, empty where the router can't tell without a call's arguments."""
    by: str
    """What decides that."""
    rule: str
    after: str | None
    """The queue with the build, empty as ``queue`` may be; None where only its running settings tell."""
    priority: float | None
    settings: TaskSettings | None
    """None where no worker was asked: other pods load other settings."""
    numbers: Numbers | None = None
    """None where nothing was measured."""

    @property
    def names_queue(self) -> bool:
        """Whether it says itself where it goes, so that no route has an effect."""
        return self.by == OWN_QUEUE

    @property
    def destination(self) -> str:
        """The queue that it goes to with the build, empty where a call's arguments decide."""
        return self.queue if self.after is None else self.after

    def queue_in_fact(self, consumers: Mapping[str, str]) -> str:
        """Return the queue by what was measured: its worker may tell that calls name another than the router's.

        ``consumers`` are the Deployments by the queues they take.
        """
        ran_on = self._ran_on
        if not ran_on or ran_on in {consumers.get(self.queue), consumers.get(self.destination)}:
            return self.destination
        return next((queue for queue, deployment in consumers.items() if deployment == ran_on), self.destination)

    @property
    def _ran_on(self) -> str:
        """The Deployment that ran it most, empty where the worker's name doesn't tell.

        Nor does a default worker: on a site that wasn't split yet it ran what goes to any queue.
        """
        parts = self.numbers.ran_on.split(".") if self.numbers is not None else []
        # edx.lms.core.high_mem
        if len(parts) != 4 or parts[3] == DEFAULT:  # noqa: PLR2004
            return ""
        return deployment_name(parts[1], parts[3])


class SiteTasks(Record):
    """The tasks of a site's services."""

    asked: str
    """The day on which the site was asked."""
    versions: Mapping[str, Mapping[str, str]]
    """Of each service, the versions of celery and kombu."""
    tasks: Sequence[Task]
    measured: Measured | None = None

    @property
    def services(self) -> list[str]:
        """The services that were asked."""
        return sorted(self.versions)

    @property
    def queues(self) -> set[str]:
        """The queues that a task goes to with the build."""
        return {task.destination for task in self.tasks} - {""}

    def names(self, service: str) -> list[str]:
        """Return the names of a service's tasks."""
        return [task.name for task in self.tasks if task.service == service]

    def find(self, service: str, name: str) -> Task | None:
        """Return a service's task of this name, None where it has none."""
        return next((task for task in self.tasks if (task.service, task.name) == (service, name)), None)

    def with_numbers(
        self, measured: Measured, numbers: Mapping[tuple[str, str], Numbers]
    ) -> tuple[SiteTasks, Sequence[str]]:
        """Return the tasks with what was measured of each, and the names of what ran and isn't among them.

        The service of a number is that of the worker; where that isn't known, it is the one service that has the task.
        """
        keys = {(task.service, task.name) for task in self.tasks}
        of_task = {key: task_numbers for key, task_numbers in numbers.items() if key in keys}
        unknown = []
        for (_, name), task_numbers in (
            (key, task_numbers) for key, task_numbers in numbers.items() if key not in keys
        ):
            services = [service for service, task in keys if task == name]
            if len(services) == 1:
                of_task.setdefault((services[0], name), task_numbers)
            else:
                unknown.append(name)
        tasks = [task.replace(numbers=of_task.get((task.service, task.name))) for task in self.tasks]
        return self.replace(tasks=tasks, measured=measured), unknown
