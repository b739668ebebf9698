"""What Celery in one container will do, from every source that it weighs, in its own order.

As a rule the command line counts first, then the environment, then the settings: the files that the container mounts,
which begin with Open edX's own out of ``lms.env.yml`` or ``cms.env.yml``, and Celery's defaults last. Each value comes
with its source; what can't be known is an Unknown.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kustomizer.manifests.digits import whole_number
from kustomizer.openedx.celery import edx_platform
from kustomizer.openedx.celery.command import Command
from kustomizer.openedx.celery.environment import Environment, Start
from kustomizer.openedx.celery.loaded_settings import LoadedSettings
from kustomizer.openedx.celery.python_values import NamedQueue
from kustomizer.openedx.celery.transport import TransportView, is_unset
from kustomizer.openedx.celery.values import CELERYS, Known, Source, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.celery.values import Value
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.worker_command.command_line import CommandLine

_ROUTES = ("EXPLICIT_QUEUES", "CELERY_ROUTES")
"""Open edX's own table of routes, and Celery's."""


class CeleryView(TransportView):
    """What the Celery of one container will do."""

    def __init__(self, resources: Resources, worker: EmittedWorker, *, without_ours: bool = False) -> None:
        """Look at the container of ``worker``; ``without_ours`` passes over the settings that the function added."""
        owner, line = worker.resource, worker.command_line
        path, container = worker.field, worker.container_tree
        place = Source(resource=owner.ref, field=path)
        environment = Environment(resources, owner, path, container, _start(path, line))
        command = Command(line, environment, place.replace(field=_command_path(path, line)))
        settings = LoadedSettings(resources, worker, command, environment, container=place, without_ours=without_ours)
        super().__init__(settings, command, environment)
        self.service = worker.service

    # Queues

    @functools.cached_property
    def queues(self) -> Value:
        """The queues that the worker takes."""
        named = self.command.queues
        taken = self.defined_queues if named is None else named
        excluded = self.command.excluded_queues
        if excluded is None or isinstance(taken, Unknown):
            return taken
        if isinstance(excluded, Unknown):
            return excluded
        return taken.replace(value=tuple(queue for queue in taken.value if queue not in excluded.value))

    @property
    def defined_queues(self) -> Value:
        """The queues that the settings define, which a worker takes that isn't told any."""
        setting = self.settings.setting("CELERY_QUEUES")
        if isinstance(setting, Unknown):
            return setting if setting.otherwise is None else setting.replace(otherwise=_names(setting.otherwise))
        if not setting.value:
            default = self.default_queue
            return default if isinstance(default, Unknown) else default.replace(value=(default.value,))
        return _names(setting)

    @property
    def default_queue(self) -> Value:
        """The queue of tasks that nothing routes."""
        return self.settings.setting("CELERY_DEFAULT_QUEUE", "celery")

    @property
    def creates_queues(self) -> Value:
        """Whether a queue may be named that the settings don't define."""
        return _truth(self.settings.setting("CELERY_CREATE_MISSING_QUEUES", True))

    def queue_of(self, variant: str) -> Value:
        """Return the site's name for the queue that Open edX calls default, high, high_mem or low."""
        return self.settings.setting(edx_platform.QUEUE_SETTINGS[variant])

    @property
    def routes(self) -> Value:
        """Routes that the site's settings add to Open edX's own: from task to queue."""
        explicit = self.settings.setting("EXPLICIT_QUEUES", {})
        if isinstance(explicit, Unknown):
            return explicit
        queues = ((task, routed_queue(route)) for task, route in explicit.value.items())
        return explicit.replace(value={str(task): queue for task, queue in queues if queue is not None})

    def known_routes(self) -> Iterator[tuple[str, str, Source]]:
        """Yield the routes that the site's settings surely add: the task, its queue, and what says so."""
        for name in _ROUTES:
            tables, source = self.settings.tables(name)
            for table in tables:
                for task, route in table.items():
                    queue = routed_queue(route)
                    if isinstance(task, str) and queue is not None:
                        yield task, queue, getattr(route, "changed", None) or source

    def scheduled_routes(self) -> Iterator[tuple[str, str, Source]]:
        """Yield the tasks that the site's schedule surely sends to a queue of its own: as :meth:`known_routes` does."""
        tables, source = self.settings.tables("CELERYBEAT_SCHEDULE")
        for entry in (entry for table in tables for entry in table.values() if isinstance(entry, dict)):
            task, options = entry.get("task"), entry.get("options")
            queue = options.get("queue") if isinstance(options, dict) else None
            if isinstance(task, str) and isinstance(queue, str):
                yield task, queue, source

    @property
    def runs_eagerly(self) -> Value:
        """Whether tasks are run by who sends them, and never get to a worker."""
        return _truth(self.settings.setting("CELERY_ALWAYS_EAGER", False))

    # The worker

    @property
    def acknowledges_late(self) -> Value:
        """Whether a task is acknowledged when it is done, unless it says otherwise itself."""
        return _truth(self.settings.setting("CELERY_ACKS_LATE", False))

    @property
    def rejects_on_worker_lost(self) -> Value:
        """Whether a task whose process was killed is put back."""
        return self.settings.setting("CELERY_REJECT_ON_WORKER_LOST")

    @property
    def soft_shutdown_timeout(self) -> Value:
        """How many seconds a soft shutdown waits, in Celery 5.5 and newer."""
        return self.settings.setting("CELERYD_SOFT_SHUTDOWN_TIMEOUT", 0)

    @property
    def pool(self) -> Value:
        """The pool's kind."""
        option = self.command.option("--pool")
        if isinstance(option, Unknown) or (option is not None and option.value != "prefork"):
            return option
        settings = self.settings.setting("CELERYD_POOL", "prefork")
        return settings if option is None or not is_unset(settings) else option

    @property
    def concurrency(self) -> Value:
        """How many tasks the worker runs at a time."""
        pool = self.pool
        if isinstance(pool, Unknown) and pool.otherwise is None:
            return pool
        settled = pool.otherwise if isinstance(pool, Unknown) else pool
        if settled is not None and settled.value == "solo":
            return settled.replace(value=1)
        autoscale = self.command.option("--autoscale")
        option = autoscale or self.command.option("--concurrency")
        if isinstance(option, Unknown):
            return option
        number = _whole(str(option.value).partition(",")[0]) if option is not None else None
        if number:
            return Known(value=number, source=option.source)  # type: ignore[union-attr]
        settings = self.settings.setting("CELERYD_CONCURRENCY")
        if isinstance(settings, Unknown) and (settings.otherwise is None or settings.otherwise.value):
            return settings
        if isinstance(settings, Unknown):
            return settings.replace(otherwise=None)
        if type(settings.value) is int and settings.value:
            return settings
        return Unknown(reason="Celery takes the node's number of CPUs", source=CELERYS)

    @property
    def prefetch_multiplier(self) -> Value:
        """How many tasks a worker takes for each that it can run."""
        option = self.command.option("--prefetch-multiplier")
        if isinstance(option, Unknown):
            return option
        number = _whole(str(option.value)) if option is not None else None
        if number:
            return Known(value=number, source=option.source)  # type: ignore[union-attr]
        return self.settings.setting("CELERYD_PREFETCH_MULTIPLIER", 4)

    @property
    def time_limit(self) -> Value:
        """The seconds after which a task is killed that sets no limit of its own, None where it isn't."""
        return self.command.option("--time-limit") or self.settings.setting("CELERYD_TASK_TIME_LIMIT")

    @property
    def scheduler(self) -> Value:
        """Whether the worker runs a scheduler besides."""
        return self.command.has("--beat")

    @property
    def scheduler_class(self) -> Value:
        """The class of a scheduler that runs with the worker's settings."""
        return self.command.option("--scheduler") or self.settings.setting("CELERYBEAT_SCHEDULER", "")

    @property
    def purges(self) -> Value:
        """Whether the worker deletes what waits when it starts."""
        return self.command.has("--purge")


def _start(path: str, line: CommandLine) -> Start:
    field = f"{path}.{'command' if line.command else 'args'}"
    if line.script is not None or line.wrapper:
        return Start(field=field, script=line.wrapper if line.script is None else line.script.head)
    words = [*(line.command or ()), *(line.args or ())][: line.place]
    index = max((number for number, word in enumerate(words) if word.rpartition("/")[2] == "celery"), default=0)
    return Start(field=field, programs=tuple(words[:index]))


def _command_path(path: str, line: CommandLine) -> str:
    return f"{path}.{'command' if line.place < len(line.command or ()) and not line.args else 'args'}"


def routed_queue(route: Any) -> str | None:
    """Return the queue that a route names: Open edX hands it on to Celery, which takes a name alone, too."""
    queue = route.get("queue") if isinstance(route, dict) else route
    return queue if isinstance(queue, str) else None


def _names(setting: Known) -> Known:
    queues = setting.value
    if isinstance(queues, dict):
        return setting.replace(value=tuple(str(name) for name in queues))
    items = queues if isinstance(queues, (list, tuple, set, frozenset)) else (queues,)
    named = (item.name if isinstance(item, NamedQueue) else item for item in items)
    names = [str(name) for name in named if isinstance(name, str)]
    # A set has no order of its own.
    return setting.replace(value=tuple(sorted(names) if isinstance(queues, (set, frozenset)) else names))


def _truth(value: Value) -> Value:
    return value.replace(value=bool(value.value)) if isinstance(value, Known) else value


def _whole(text: str) -> int | None:
    return whole_number(text.strip())
