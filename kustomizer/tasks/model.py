"""The tasks of a site as its own Celery knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def duration(seconds: float) -> str:
    """Return a time as people say it: ``0.2 s``, ``45 s``, ``12 min``, ``2 h``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


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


class SiteTasks(Record):
    """The tasks of a site's services."""

    asked: str
    """The day on which the site was asked."""
    versions: Mapping[str, Mapping[str, str]]
    """Of each service, the versions of celery and kombu."""
    tasks: Sequence[Task]

    @property
    def services(self) -> list[str]:
        """The services that were asked."""
        return sorted(self.versions)
