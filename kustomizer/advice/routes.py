"""Which long tasks to route away from short ones, and to which queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kustomizer.advice.concerns import is_long, runs_a_day
from kustomizer.advice.loads import ENOUGH, Load, Routing, loads
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.worker import deployment_name
from kustomizer.errors import INFO, Problem
from kustomizer.record import Record
from kustomizer.system.wording import plural
from kustomizer.tasks.model import SiteTasks, Task
from kustomizer.tasks.numbers import amount, duration

NEW = "long"
"""The worker that is added where none fits."""


class Route(Record):
    """A task that is better sent to another queue, by every service that sends it to this one."""

    name: str
    senders: tuple[str, ...]
    queue: str
    adds: str
    """The service that gets a new worker for it, empty where there is one already."""
    measured: str


def routes(known: SiteTasks, config: CeleryWorkers) -> Iterator[Route]:
    """Yield the routes that the numbers speak for."""
    measured, routing = loads(known, config, {}), Routing(config)
    movable = _by_name(task for task in known.tasks if not routing.is_settled(task))
    for (service, _), load in measured.items():
        if not load.short:
            continue
        queue, adds = _destination(service, config, [task for task in measured.values() if task.service == service])
        long = load.long if queue else []
        here = _by_name(task for task in long if not routing.is_settled(task))
        for name in dict.fromkeys(task.name for task in long if _is_measured(task) and task.name in here):
            task = here[name][0]
            # Which of the services that send it to the same queue did isn't measured.
            senders = (each.service for each in movable[name] if routing.queue_of(each) == routing.queue_of(task))
            told = _measured(task, load)
            yield Route(name=name, senders=tuple(sorted(senders)), queue=queue, adds=adds, measured=told)


def stuck(known: SiteTasks, config: CeleryWorkers) -> Iterator[Problem]:
    """Yield the long tasks among short ones that no route moves."""
    routing = Routing(config)
    for load in loads(known, config, {}).values():
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
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.name, []).append(task)
    return found


def _measured(task: Task, load: Load) -> str:
    numbers = task.numbers
    if numbers is None or numbers.p95 is None or not is_long(task):
        return ""
    long = f"{amount(numbers.per_day)} times a day, and one run in twenty took {duration(numbers.p95.least)} or more"
    short = f"{plural(len(load.short), 'short task')}, {amount(runs_a_day(load.short))} times a day"
    return f"it ran {long}; in its queue ran {short}"
