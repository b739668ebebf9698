"""What was measured of each worker: the tasks that go to its queues, and how much they kept it busy."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from kustomizer.advice.concerns import is_long, is_short
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.worker import deployment_name
from kustomizer.record import Record
from kustomizer.tasks.model import SiteTasks, Task
from kustomizer.tasks.numbers import HOUR, Numbers

Worker = tuple[str, str]

ENOUGH = 20
"""Runs of a task, or of a worker's tasks, below which nothing is said of it."""


class Load(Record):
    """The tasks of one worker that were measured, those that took the most time first."""

    service: str
    variant: str
    tasks: Sequence[Task]

    @property
    def numbers(self) -> list[Numbers]:
        """What was measured of each task."""
        return [task.numbers for task in self.tasks if task.numbers is not None]

    @property
    def runs(self) -> int:
        """How often they ran."""
        return sum(numbers.runs for numbers in self.numbers)

    @property
    def is_enough(self) -> bool:
        """Whether they ran often enough, and for long enough, to say something."""
        return self.runs >= ENOUGH and bool(self.busy)

    @property
    def per_day(self) -> float:
        """How often they ran a day."""
        return sum(numbers.per_day for numbers in self.numbers)

    @property
    def seconds(self) -> float:
        """The time that they took."""
        return sum(numbers.seconds for numbers in self.numbers)

    @property
    def mean(self) -> float:
        """The seconds that a run took in the mean."""
        return self.seconds / max(1, sum(numbers.runs - numbers.failed for numbers in self.numbers))

    @property
    def long_seconds(self) -> float:
        """The time that the long ones took."""
        return sum(task.numbers.seconds for task in self.long if task.numbers is not None)

    @property
    def long_share(self) -> float:
        """The part of their time that long tasks took."""
        return self.long_seconds / self.seconds if self.seconds else 0.0

    @property
    def busy(self) -> list[float]:
        """How many tasks ran at a time in each hour, in the mean of that hour."""
        series = [numbers.hours for numbers in self.numbers if numbers.hours]
        count = max(map(len, series), default=0)
        # What is shorter lacks the oldest hours.
        padded = [(0.0,) * (count - len(hours)) + tuple(hours) for hours in series]
        return [sum(hour) / HOUR for hour in zip(*padded, strict=True)]

    @property
    def ordinary(self) -> float:
        """How many ran at a time in the median hour."""
        return statistics.median(self.busy)

    @property
    def busiest(self) -> float:
        """How many ran at a time in the busiest hour."""
        return max(self.busy)

    @property
    def long(self) -> list[Task]:
        """The long ones."""
        return [task for task in self.tasks if is_long(task)]

    @property
    def short(self) -> list[Task]:
        """The short ones that run often."""
        return [task for task in self.tasks if is_short(task)]


def loads(known: SiteTasks, config: CeleryWorkers, moved: Mapping[tuple[str, str], str]) -> dict[Worker, Load]:
    """Return the load of each worker of the configuration, with the queues that tasks are ``moved`` to.

    ``moved`` has queues by service and task; what isn't in it goes where the configuration or the site sends it.
    """
    routing = Routing(config)
    tasks_of: dict[str, list[Task]] = {}
    for task in known.tasks:
        if task.numbers is not None:
            queue = moved.get((task.service, task.name)) or routing.queue_of(task)
            tasks_of.setdefault(queue, []).append(task)
    return {
        (service, variant): Load(
            service=service,
            variant=variant,
            tasks=sorted(
                (task for queue in queues for task in tasks_of.get(queue, ())),
                key=lambda task: (-(task.numbers.seconds if task.numbers else 0), task.service, task.name),
            ),
        )
        for service, variant, queues in workers_of(config)
    }


def workers_of(config: CeleryWorkers) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield service, variant and queues of each worker of the configuration."""
    for service in config.services():
        for variant in config.variants(service):
            yield service, variant, config.queues(service, variant)


class Routing:
    """Where tasks go with a configuration."""

    def __init__(self, config: CeleryWorkers) -> None:
        self._routes = config.spec.routing
        self._consumers = {
            queue: deployment_name(service, variant)
            for service, variant, queues in workers_of(config)
            for queue in queues
        }

    def queue_of(self, task: Task) -> str:
        """Return the queue that a task goes to: calls and the task itself win over a route of the configuration."""
        route = self._routes.get(task.service, {}).get(task.name)
        return task.queue_in_fact(self._consumers) if route is None or self.is_settled(task) else route.queue

    def is_settled(self, task: Task) -> bool:
        """Tell whether no route moves a task: it says its queue itself, or its calls do, as far as its worker tells."""
        return task.names_queue or task.queue_in_fact(self._consumers) != task.destination
