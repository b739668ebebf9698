"""What Celery in one container will do, from every source that it weighs, in its own order.

The command line counts first, then the environment, then the settings: the files that the container mounts, which
begin with Open edX's own out of ``lms.env.yml`` or ``cms.env.yml``, and Celery's defaults last. Each value comes with
its source; what can't be known is an Unknown.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.celery import edx_platform
from kustomizer.openedx.celery.broker_url import parsed
from kustomizer.openedx.celery.command import Command
from kustomizer.openedx.celery.environment import Environment
from kustomizer.openedx.celery.mounts import MountedFile, Mounts
from kustomizer.openedx.celery.python_values import NamedQueue, Opaque, Table, doubt_in
from kustomizer.openedx.celery.scope import Scope
from kustomizer.openedx.celery.statements import follow
from kustomizer.openedx.celery.values import CELERYS, KOMBUS, Known, Source, Unknown
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX
from kustomizer.openedx.workers import CONFIG_MAP, pod_template

if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.celery.values import Value
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.worker_command.worker import CommandLine

VISIBILITY_TIMEOUT = 3600
PRIORITY_STEPS = (0, 3, 6, 9)
SEPARATOR = "\x06\x16"
# Where the image has its configuration file unless LMS_CFG or CMS_CFG says otherwise (Tutor's Dockerfile).
_FILES = {"lms": ("LMS_CFG", "/openedx/config/lms.env.yml"), "cms": ("CMS_CFG", "/openedx/config/cms.env.yml")}


class CeleryView:
    """What the Celery of one container will do."""

    def __init__(self, resources: Resources, worker: EmittedWorker, *, without_ours: bool = False) -> None:
        """Look at the container of ``worker``; ``without_ours`` passes over the settings that the function added."""
        owner, command_line = worker.resource, worker.command_line
        template = pod_template(owner)
        container = lookup(template, "spec", "containers", worker.container)
        path = f"spec.template.spec.containers[{worker.container}]"
        self.service = worker.service
        self._without_ours = without_ours
        self._owner = owner
        self._container = Source(resource=owner.ref, field=path)
        script = command_line.script.head if command_line.script is not None else ""
        self.environment = Environment(resources, owner, path, container, script)
        self.command = Command(
            command_line, self.environment, self._container.replace(field=_command_path(path, command_line))
        )
        self._resources, self._owner = resources, owner
        self._mounts = Mounts(resources, owner, template, container)

    # Settings

    def setting(self, name: str, default: Any = None) -> Value:
        """Return a Django setting by the name that Celery reads, ``default`` where nothing sets it."""
        scope = self._settings
        if isinstance(scope, Unknown):
            return scope
        value, source, doubt = scope.read(name)
        found = self._value(name, value, source, default)
        if doubt is None or isinstance(found, Unknown):
            return found
        return Unknown(reason=doubt.why.reason, source=doubt.source, may_be_unset=True, otherwise=found)

    def _value(self, name: str, value: Any, source: Source, default: Any) -> Value:
        if value is None:
            return Known(value=default, source=CELERYS)
        doubt = doubt_in(value) or (getattr(value, "rest", None) if isinstance(value, Table) else None)
        if doubt is not None:
            return Unknown(
                reason=doubt.reason, source=source.replace(line=doubt.line or source.line, field=source.field or name)
            )
        return Known(value=value, source=source)

    @functools.cached_property
    def _settings(self) -> Scope | Unknown:
        reason = self._foreign()
        if reason:
            return Unknown(reason=reason, source=self._container)
        tokens, places = self._tokens
        names, sources = edx_platform.settings(self.service, tokens, places)
        scope = Scope(names, sources, self.environment)
        module = self._module
        if isinstance(module, Unknown):
            return module
        base = frozenset(f"{service}.envs.{file}" for service in OPEN_EDX_SERVICES for file in ("production", "common"))
        if module.value in base:
            return scope
        file = self._tutors_module(str(module.value)) or self._mounts.module(str(module.value))
        if not isinstance(file, MountedFile):
            reason = file.reason if file else f"its settings module {module.value} isn't part of the build"
            scope.doubt_all(Opaque(f"{reason}, and may set it"), maybe=True)
            return scope
        follow(scope, file, self._mounts, str(module.value), base)
        return scope

    def _tutors_module(self, module: str) -> MountedFile | Unknown | None:
        """Return Tutor's settings where ours have taken their place, and aren't wanted."""
        package, _, name = module.rpartition(".")
        return self._mounts.module(f"{package}.{TUTORS_FILE_PREFIX}{name}") if self._without_ours else None

    def _foreign(self) -> str:
        """Say why the settings aren't Open edX's; empty where they are."""
        if self.service not in OPEN_EDX_SERVICES:
            return "only the application's own settings know it"
        app = self.command.option("--app")
        if isinstance(app, Unknown):
            return f"which application it is isn't known: {app.reason}"
        # Without one the image's own start would have to name it: a worker of lms runs no other.
        if app is not None and str(app.value).partition(":")[0] not in (f"{self.service}.celery", self.service):
            return f"its application is {app.value}, not Open edX's"
        if isinstance(self.command.option("--workdir"), (Known, Unknown)):
            return "its --workdir may have other settings"
        return "settings stand behind the options" if self.command.overrides else ""

    @property
    def _module(self) -> Value:
        module = self.environment.get("DJANGO_SETTINGS_MODULE")
        if isinstance(module, Unknown) and module.may_be_unset:
            module = None
        # Tutor's image has it for lms; its Deployments state it for both.
        return (
            Known(value=f"{self.service}.envs.tutor.production", source=self._container) if module is None else module
        )

    @functools.cached_property
    def env_file(self) -> MountedFile | Unknown:
        """The ``lms.env.yml`` or ``cms.env.yml`` that the container reads."""
        variable, default = _FILES[self.service]
        path = self.environment.get(variable)
        if isinstance(path, Known):
            default = str(path.value)
        elif path is not None and not path.may_be_unset:
            return path
        found = self._mounts.file(default) or self._by_name(CONFIG_MAP, f"{self.service}.env.yml")
        source = self._container.replace(field=f"{self._container.field}.volumeMounts")
        return found or Unknown(reason=f"nothing of the build is mounted at {default}", source=source)

    @property
    def mounted_env_file(self) -> MountedFile | None:
        """The same file, None where it isn't one of the build's."""
        return None if isinstance(self.env_file, Unknown) else self.env_file

    def _by_name(self, name: str, key: str) -> MountedFile | None:
        """Return a file of the ConfigMap that Tutor has for it, for a container that mounts nothing in its place."""
        for resource in self._resources.generated("ConfigMap", name, self._owner.namespace):
            text = lookup(resource.tree, "data", key)
            if isinstance(text, str):
                return MountedFile(text=str(text), owner=resource, key=key)
        return None

    @functools.cached_property
    def _tokens(self) -> tuple[Table | Opaque, dict[str, Source]]:
        file = self.env_file
        if isinstance(file, Unknown):
            return Opaque(file.reason), {}
        tokens = edx_platform.read_tokens(file.text)
        if isinstance(tokens, Opaque):
            return tokens, {}
        keys = [key for key in tokens if isinstance(key, str)]
        return tokens, {key: file.line(edx_platform.line_of(file.text, key)) for key in keys}

    # The broker

    @functools.cached_property
    def broker_url(self) -> Value:
        """The URL that Celery connects to, credentials and all."""
        read = self.environment.get("CELERY_BROKER_READ_URL"), _unless_unset(self.setting("BROKER_READ_URL"))
        # An option becomes the variable CELERY_BROKER_URL.
        given = self.command.option("--broker"), self.environment.get("CELERY_BROKER_URL")
        return _first(*read, *given, self.setting("BROKER_URL"))

    @functools.cached_property
    def broker(self) -> Value:
        """The broker as a BrokerUrl."""
        for part in ("TRANSPORT", "HOST", "USER", "PASSWORD", "VHOST", "PORT"):
            beside = self.setting(f"BROKER_{part}")
            if isinstance(beside, Known) and beside.value:
                return Unknown(reason=f"BROKER_{part} is set beside the URL", source=beside.source)
        url = self.broker_url
        if isinstance(url, Known):
            return _parsed(url)
        then = None if url.otherwise is None else _parsed(url.otherwise)
        return url.replace(otherwise=then if isinstance(then, Known) else None)

    @functools.cached_property
    def transport_options(self) -> Value:
        """The options of the transport, as a mapping."""
        return self.setting("BROKER_TRANSPORT_OPTIONS", {})

    def transport_option(self, name: str, default: Any = None) -> Value:
        """Return one of the transport's options, ``default`` where nothing sets it."""
        options = self.transport_options
        if not isinstance(options, Unknown):
            return self._option(options.value, name, default, options.source)
        if options.otherwise is not None:
            then = self._option(options.otherwise.value, name, default, options.otherwise.source)
            return options.replace(otherwise=then)
        whole = self._settings
        table = None if isinstance(whole, Unknown) else whole.read("BROKER_TRANSPORT_OPTIONS")[0]
        # Others of its items may be computed, and this one not.
        if isinstance(table, Table) and table.doubt is None and not doubt_in([*table]):
            is_known = not doubt_in(table[name]) if name in table else not table.partial
            if is_known:
                return self._option(table, name, default, options.source)
        return options

    @staticmethod
    def _option(options: dict[str, Any], name: str, default: Any, source: Source) -> Known:
        value = options.get(name)
        return Known(value=default, source=KOMBUS) if value is None else Known(value=value, source=source)

    @property
    def visibility_timeout(self) -> Value:
        """After how many seconds Redis hands a task out again that isn't acknowledged."""
        return self.transport_option("visibility_timeout", VISIBILITY_TIMEOUT)

    @property
    def key_prefix(self) -> Value:
        """What stands before each key in Redis."""
        return self.transport_option("global_keyprefix", "")

    @property
    def use_ssl(self) -> Value:
        """What the settings say about TLS."""
        return self.setting("BROKER_USE_SSL", False)

    # Queues

    @functools.cached_property
    def queues(self) -> Value:
        """The queues that the worker takes."""
        named = self.command.queues
        found = self._all_queues if named is None else named
        excluded = self.command.excluded_queues
        if excluded is None or isinstance(found, Unknown):
            return found
        if isinstance(excluded, Unknown):
            return excluded
        return found.replace(value=tuple(queue for queue in found.value if queue not in excluded.value))

    @property
    def _all_queues(self) -> Value:
        """The queues that the settings define, which a worker takes that isn't told any."""
        given = self.setting("CELERY_QUEUES")
        if isinstance(given, Unknown):
            return given if given.otherwise is None else given.replace(otherwise=_names(given.otherwise))
        if not given.value:
            default = self.default_queue
            return default if isinstance(default, Unknown) else default.replace(value=(default.value,))
        return _names(given)

    @property
    def default_queue(self) -> Value:
        """The queue of tasks that nothing routes."""
        return self.setting("CELERY_DEFAULT_QUEUE", "celery")

    def queue_of(self, variant: str) -> Value:
        """Return the site's name for the queue that Open edX calls default, high, high_mem or low."""
        return self.setting(edx_platform.QUEUE_SETTINGS[variant])

    @property
    def routes(self) -> Value:
        """Routes that the site's settings add to Open edX's own: from task to queue."""
        given = self.setting("EXPLICIT_QUEUES", {})
        if isinstance(given, Unknown):
            return given
        routes = {task: route.get("queue") if isinstance(route, dict) else route for task, route in given.value.items()}
        return given.replace(value={str(task): queue for task, queue in routes.items() if isinstance(queue, str)})

    @property
    def default_priority(self) -> Value:
        """The priority of tasks that name none."""
        return self.setting("CELERY_DEFAULT_PRIORITY")

    def lists_of(self, queue: str) -> Value:
        """Return the lists in Redis that hold a queue's tasks, without a key prefix: one for each priority in use."""
        known: list[Known] = []
        options = (self.transport_option("priority_steps"), self.transport_option("sep", SEPARATOR))
        for each in (self.default_priority, *options):
            value = each.otherwise if isinstance(each, Unknown) and each.otherwise is not None else each
            if isinstance(value, Unknown):
                return value
            known.append(value)
        priority, steps, separator = known
        if priority.value is None and steps.value is None:
            return Known(value=(queue,), source=KOMBUS)
        source = priority.source if steps.value is None else steps.source
        numbers = PRIORITY_STEPS if steps.value is None else steps.value
        if not isinstance(numbers, (list, tuple)) or not all(type(number) is int for number in numbers):
            return Unknown(reason="priority_steps isn't a list of numbers", source=source)
        names = tuple(f"{queue}{separator.value}{number}" if number else queue for number in sorted(numbers))
        return Known(value=names, source=source)

    # The worker

    @property
    def acknowledges_late(self) -> Value:
        """Whether a task is acknowledged when it is done, unless it says otherwise itself."""
        return _truth(self.setting("CELERY_ACKS_LATE", False))

    @property
    def rejects_on_worker_lost(self) -> Value:
        """Whether a task whose process was killed is put back."""
        return self.setting("CELERY_REJECT_ON_WORKER_LOST")

    @property
    def soft_shutdown_timeout(self) -> Value:
        """How many seconds a soft shutdown waits, in Celery 5.5 and newer."""
        return self.setting("CELERYD_SOFT_SHUTDOWN_TIMEOUT", 0)

    @property
    def pool(self) -> Value:
        """The pool's kind."""
        given = self.command.option("--pool")
        if isinstance(given, Unknown) or (given is not None and given.value != "prefork"):
            return given
        settings = self.setting("CELERYD_POOL", "prefork")
        return settings if given is None or not _is_unset(settings) else given

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
        given = autoscale or self.command.option("--concurrency")
        if isinstance(given, Unknown):
            return given
        number = _whole(str(given.value).partition(",")[0]) if given is not None else None
        if number:
            return Known(value=number, source=given.source)  # type: ignore[union-attr]
        settings = self.setting("CELERYD_CONCURRENCY")
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
        given = self.command.option("--prefetch-multiplier")
        number = _whole(str(given.value)) if isinstance(given, Known) else None
        return (
            given.replace(value=number)
            if isinstance(given, Known) and number
            else (given if isinstance(given, Unknown) else self.setting("CELERYD_PREFETCH_MULTIPLIER", 4))
        )

    @property
    def scheduler(self) -> Value:
        """Whether the worker runs a scheduler besides."""
        return self.command.has("--beat")

    @property
    def purges(self) -> Value:
        """Whether the worker deletes what waits when it starts."""
        return self.command.has("--purge")


def _command_path(path: str, line: CommandLine) -> str:
    return f"{path}.{'command' if line.place < len(line.command or ()) and line.args is None else 'args'}"


def _first(*values: Value | None) -> Value:
    """Return the first value that is set; an Unknown before it hides it."""
    for index, value in enumerate(values):
        if isinstance(value, Unknown):
            if not value.may_be_unset or (value.otherwise is not None and value.otherwise.value):
                return value
            then = _first(*values[index + 1 :])
            return value.replace(otherwise=then if isinstance(then, Known) else then.otherwise)
        if value is not None and value.value:
            return value
    return Unknown(reason="nothing sets it", source=CELERYS)


def _parsed(url: Known) -> Value:
    text = url.value[0] if isinstance(url.value, (list, tuple)) and len(url.value) == 1 else url.value
    parts = parsed(text) if isinstance(text, str) else None
    if parts is None:
        return Unknown(reason="it isn't a URL that Celery can read", source=url.source)
    return url.replace(value=parts)


def _unless_unset(value: Value) -> Value | None:
    return None if _is_unset(value) else value


def _is_unset(value: Value) -> bool:
    return isinstance(value, Known) and value.value is None


def _names(given: Known) -> Known:
    queues = given.value
    if isinstance(queues, dict):
        return given.replace(value=tuple(str(name) for name in queues))
    items = queues if isinstance(queues, (list, tuple, set)) else (queues,)
    return given.replace(value=tuple(str(each) for each in items if isinstance(each, (NamedQueue, str))))


def _truth(value: Value) -> Value:
    return value.replace(value=bool(value.value)) if isinstance(value, Known) else value


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else None
