"""How busy the measured tasks kept each worker, and which long tasks to route to another queue."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kustomizer.advice.concerns import is_long, is_short, runs_a_day
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.worker import deployment_name
from kustomizer.errors import INFO, Problem
from kustomizer.record import Record
from kustomizer.system.wording import plural
from kustomizer.tasks.model import SiteTasks, Task
from kustomizer.tasks.numbers import HOUR, Numbers, amount, duration

Worker = tuple[str, str]

ENOUGH = 20
"""With fewer runs than these, nothing is said of a task or a worker."""


class Load(Record):
    """The measured tasks of one worker, those that took the most time first."""

    service: str
    variant: str
    tasks: Sequence[Task]

    @property
    def numbers(self) -> list[Numbers]:
        """The numbers of each task."""
        return [task.numbers for task in self.tasks if task.numbers is not None]

    @property
    def is_enough(self) -> bool:
        """Whether they ran often enough, and for long enough, to advise on them."""
        return sum(numbers.runs for numbers in self.numbers) >= ENOUGH and bool(self.busy)

    @property
    def per_day(self) -> float:
        """Their runs a day."""
        return sum(numbers.per_day for numbers in self.numbers)

    @property
    def seconds(self) -> float:
        """The seconds that they took together."""
        return sum(numbers.seconds for numbers in self.numbers)

    @property
    def mean(self) -> float:
        """The mean seconds of a run."""
        return self.seconds / max(1, sum(numbers.runs - numbers.failed for numbers in self.numbers))

    @property
    def long_seconds(self) -> float:
        """The seconds that the long tasks took together."""
        return sum(task.numbers.seconds for task in self.long if task.numbers is not None)

    @property
    def long_share(self) -> float:
        """The share of the long tasks in ``seconds``."""
        return self.long_seconds / self.seconds if self.seconds else 0.0

    @property
    def busy(self) -> list[float]:
        """The mean number of tasks that ran at a time, for each hour."""
        series = [numbers.hours for numbers in self.numbers if numbers.hours]
        count = max(map(len, series), default=0)
        # A shorter series lacks the oldest hours.
        padded = [(0.0,) * (count - len(hours)) + tuple(hours) for hours in series]
        return [sum(hour) / HOUR for hour in zip(*padded, strict=True)]

    @property
    def ordinary(self) -> float:
        """The number that ran at a time in the median hour."""
        return statistics.median(self.busy)

    @property
    def busiest(self) -> float:
        """The number that ran at a time in the busiest hour."""
        return max(self.busy)

    @property
    def long(self) -> list[Task]:
        """The long tasks."""
        return [task for task in self.tasks if is_long(task)]

    @property
    def short(self) -> list[Task]:
        """The short tasks that run often."""
        return [task for task in self.tasks if is_short(task)]


def loads(site_tasks: SiteTasks, config: CeleryWorkers, moved: Mapping[tuple[str, str], str]) -> dict[Worker, Load]:
    """Return the load of each worker of the configuration, with the queues that tasks are ``moved`` to.

    ``moved`` has queues by service and task; what isn't in it goes where the configuration or the site sends it.
    """
    routing = Routing(config)
    tasks_of: dict[str, list[Task]] = {}
    for task in site_tasks.tasks:
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
        """Return the queue that a task goes to; the task itself and its calls win over a route."""
        route = self._routes.get(task.service, {}).get(task.name)
        return task.queue_in_fact(self._consumers) if route is None or self.is_settled(task) else route.queue

    def is_settled(self, task: Task) -> bool:
        """Tell whether no route moves a task: the task names its queue, or its calls do, as its worker's name shows."""
        return task.names_queue or task.queue_in_fact(self._consumers) != task.destination


NEW = "long"
"""The worker that is added where none fits."""


class Move(Record):
    """A task that is better sent to another queue, by every service that sends it to this one."""

    name: str
    senders: tuple[str, ...]
    queue: str
    adds: str
    """The service that gets a new worker for it, empty where there is one already."""
    measured: str


def routes(site_tasks: SiteTasks, config: CeleryWorkers) -> Iterator[Move]:
    """Yield the routes that the numbers recommend."""
    measured, routing = loads(site_tasks, config, {}), Routing(config)
    movable = _by_name(task for task in site_tasks.tasks if not routing.is_settled(task))
    for (service, _), load in measured.items():
        if not load.short:
            continue
        queue, adds = _destination(service, config, [task for task in measured.values() if task.service == service])
        long = load.long if queue else []
        here = _by_name(task for task in long if not routing.is_settled(task))
        for name in dict.fromkeys(task.name for task in long if _is_measured(task) and task.name in here):
            task = here[name][0]
            # Which of the services that send it to the same queue did isn't measured.
            senders = (sent.service for sent in movable[name] if routing.queue_of(sent) == routing.queue_of(task))
            reason = _measured(task, load)
            yield Move(name=name, senders=tuple(sorted(senders)), queue=queue, adds=adds, measured=reason)


def stuck(site_tasks: SiteTasks, config: CeleryWorkers) -> Iterator[Problem]:
    """Yield the long tasks among short ones that no route moves."""
    routing = Routing(config)
    for load in loads(site_tasks, config, {}).values():
        for task in load.long if load.short else ():
            if _is_measured(task) and routing.is_settled(task):
                by = "it says so itself" if task.names_queue else "its calls name another queue than its router"
                yield Problem(
                    message=f"{task.name} of {task.service} is long, and runs among short tasks on "
                    f"{deployment_name(load.service, load.variant)}: {by}",
                    severity=INFO,
                    remedy="No route moves it; its code can",
                )


def _is_measured(task: Task) -> bool:
    return task.numbers is not None and task.numbers.runs >= ENOUGH


def _destination(service: str, config: CeleryWorkers, workers: list[Load]) -> tuple[str, str]:
    """Return the queue for long tasks, and the service that has to get a worker for it, if any."""
    fitting = [load for load in workers if load.long and not load.short and config.queues(service, load.variant)]
    if fitting:
        best = max(fitting, key=lambda load: load.long_seconds)
        return config.queues(service, best.variant)[0], ""
    return ("", "") if NEW in config.variants(service) else (f"edx.{service}.core.{NEW}", service)


def _by_name(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    tasks_of: dict[str, list[Task]] = {}
    for task in tasks:
        tasks_of.setdefault(task.name, []).append(task)
    return tasks_of


def _measured(task: Task, load: Load) -> str:
    numbers = task.numbers
    if numbers is None or numbers.p95 is None or not is_long(task):
        return ""
    long = f"{amount(numbers.per_day)} times a day, and one run in twenty took {duration(numbers.p95.least)} or more"
    short = f"{plural(len(load.short), 'short task')}, {amount(runs_a_day(load.short))} times a day"
    return f"it ran {long}; in its queue ran {short}"
