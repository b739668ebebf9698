"""How one worker's Celery reaches its broker: the URL, the transport's options, the lists of Redis in use."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kustomizer.manifests.digits import whole_seconds
from kustomizer.openedx.celery.broker_url import parsed, parsed_in_part
from kustomizer.openedx.celery.python_values import Opaque, doubt_in
from kustomizer.openedx.celery.values import CELERYS, KOMBUS, Known, Parts, Source, Unknown
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.openedx.celery.broker_url import BrokerUrl
    from kustomizer.openedx.celery.command import Command
    from kustomizer.openedx.celery.environment import Environment
    from kustomizer.openedx.celery.loaded_settings import LoadedSettings
    from kustomizer.openedx.celery.values import Value

PRIORITY_STEPS = (0, 3, 6, 9)
SEPARATOR = "\x06\x16"
"""Between a queue and a priority in the name of a list, unless settings say otherwise (kombu/transport/redis.py)."""


class TransportView:
    """How one container's Celery uses its broker."""

    def __init__(self, settings: LoadedSettings, command: Command, environment: Environment) -> None:
        self.settings, self.command, self.environment = settings, command, environment

    @functools.cached_property
    def broker_url(self) -> Value:
        """The URL that Celery connects to, credentials and all."""
        read = self.settings.variable("CELERY_BROKER_READ_URL"), unless_unset(self.settings.setting("BROKER_READ_URL"))
        option, variable = self.command.option("--broker"), self.settings.variable("CELERY_BROKER_URL")
        if option is not None and variable != self.environment.get("CELERY_BROKER_URL"):
            option = Unknown(reason="the settings change CELERY_BROKER_URL, which --broker sets", source=option.source)
        # An option becomes the variable CELERY_BROKER_URL.
        url = first_set(*read, option, variable, self.settings.setting("BROKER_URL"))
        # Celery's own default is a RabbitMQ in the pod; settings that empty the URL are the worker's own.
        return url.replace(source=self.settings.container) if url.source is CELERYS else url

    @functools.cached_property
    def broker(self) -> Value:
        """The broker as a BrokerUrl."""
        for part in ("TRANSPORT", "HOST", "USER", "PASSWORD", "VHOST", "PORT"):
            beside = self.settings.setting(f"BROKER_{part}")
            if isinstance(beside, Known) and beside.value:
                return Unknown(reason=f"BROKER_{part} is set beside the URL", source=beside.source)
        url = self.broker_url
        if isinstance(url, Known):
            return _parsed(url)
        partial = self.partial_broker
        if partial is not None and partial.hosts:
            return Known(value=partial, source=url.source)
        then = None if url.otherwise is None else _parsed(url.otherwise)
        return url.replace(otherwise=then if isinstance(then, Known) else None)

    @property
    def partial_broker(self) -> BrokerUrl | None:
        """What is known of the broker's URL where not all of it is; None where its transport isn't."""
        url = self.broker_url
        return parsed_in_part(url.parts) if isinstance(url, Unknown) and not url.may_be_unset else None

    @property
    def transport(self) -> str:
        """The broker's transport, empty where only a running pod knows it."""
        known = self.broker.likely
        broker = self.partial_broker if known is None else known.value
        return "" if broker is None else str(broker.transport)

    @functools.cached_property
    def transport_options(self) -> Value:
        """The options of the transport, as a mapping."""
        return self.settings.setting("BROKER_TRANSPORT_OPTIONS", {})

    def transport_option(self, name: str, default: Any = None) -> Value:
        """Return one of the transport's options, ``default`` where nothing sets it."""
        options = self.transport_options
        if not isinstance(options, Unknown):
            return self._option(options.value, name, default, options.source)
        if options.otherwise is not None:
            then = self._option(options.otherwise.value, name, default, options.otherwise.source)
            return options.replace(otherwise=then)
        table = self.settings.table("BROKER_TRANSPORT_OPTIONS")
        # Others of its items may be computed, and this one not.
        if table is not None and table.doubt is None and not doubt_in([*table]):
            is_known = not doubt_in(table[name]) if name in table else not table.partial
            if is_known:
                return self._option(table, name, default, options.source)
        return options

    def unknown_option(self, name: str) -> Any:
        """Return what is known of an option that isn't known as a whole: a mapping's items may be."""
        options = self.settings.table("BROKER_TRANSPORT_OPTIONS")
        whole = self.transport_options
        is_listed = options is not None and name in options and options.doubt is None
        return options[name] if is_listed and options is not None else Opaque(getattr(whole, "reason", ""))

    @staticmethod
    def _option(options: dict[str, Any], name: str, default: Any, source: Source) -> Known:
        value = options.get(name)
        return Known(value=default, source=KOMBUS) if value is None else Known(value=value, source=source)

    @property
    def visibility_timeout(self) -> Value:
        """The seconds after which Redis hands an unacknowledged task out again."""
        return self.transport_option("visibility_timeout", CELERYS_VISIBILITY_TIMEOUT)

    @property
    def visibility_seconds(self) -> int | None:
        """The visibility timeout as a number, None where it is no number of seconds or a statement computes it.

        Where it is unknown and no statement of the site computes it, kombu's default is assumed.
        """
        timeout = self.visibility_timeout
        known = timeout if isinstance(timeout, Known) else timeout.otherwise
        if known is None:
            return None if timeout.source.line else CELERYS_VISIBILITY_TIMEOUT
        return whole_seconds(known.value)

    @property
    def key_prefix(self) -> Value:
        """The prefix of each key in Redis."""
        return self.transport_option("global_keyprefix", "")

    @property
    def use_ssl(self) -> Value:
        """The TLS options of the settings; one that isn't known, and names a file, is True."""
        options = self.settings.setting("BROKER_USE_SSL", False)
        table = self.settings.table("BROKER_USE_SSL") if isinstance(options, Unknown) else None
        if not table or table.partial or table.doubt is not None or options.otherwise is not None:  # type: ignore[union-attr]
            return options
        if doubt_in([*table, table.get("ssl_cert_reqs")]):
            return options
        known = {name: True if doubt_in(option) else option for name, option in table.items()}
        return Known(value=known, source=options.source)

    @property
    def default_priority(self) -> Value:
        """The priority of tasks that name none."""
        return self.settings.setting("CELERY_DEFAULT_PRIORITY")

    @functools.cached_property
    def task_priority(self) -> Source | None:
        """What gives single tasks a priority, a route or an annotation; None where nothing of the build does."""
        for name in ("EXPLICIT_QUEUES", "CELERY_ROUTES", "CELERY_ANNOTATIONS"):
            tables, source = self.settings.tables(name)
            if any(isinstance(item, dict) and item.get("priority") for table in tables for item in table.values()):
                return source
        return None

    def lists_of(self, queue: str, *, looked_on: bool = False) -> Value:
        """Return the lists in Redis that hold a queue's tasks, without a key prefix: one for each priority in use.

        With ``looked_on`` they are all the lists that a worker takes tasks from, whether anything sends to them or not.
        """
        values: list[Known] = []
        options = (self.transport_option("priority_steps"), self.transport_option("sep", SEPARATOR))
        for option in (self.default_priority, *options):
            value = option.otherwise if isinstance(option, Unknown) and option.otherwise is not None else option
            if isinstance(value, Unknown):
                return value
            values.append(value)
        priority, steps, separator = values
        of_tasks = self.task_priority
        if priority.value is None and steps.value is None and of_tasks is None and not looked_on:
            return Known(value=(queue,), source=KOMBUS)
        stated = [option.source for option in (steps, priority) if option.value is not None]
        source = [*stated, of_tasks or separator.source][0]
        numbers = PRIORITY_STEPS if steps.value is None else steps.value
        if not isinstance(numbers, (list, tuple)) or not all(type(number) is int for number in numbers):
            return Unknown(reason="priority_steps isn't a list of numbers", source=source)
        return Known(value=priority_lists(queue, numbers, separator.value), source=source)


def priority_lists(queue: str, steps: Iterable[int], separator: str = SEPARATOR) -> tuple[str, ...]:
    """Return the lists in Redis that hold a queue's tasks, one for each priority (kombu/transport/redis.py)."""
    return tuple(f"{queue}{separator}{number}" if number else queue for number in sorted(steps))


def first_set(*values: Value | None) -> Value:
    """Return the first value that is set, or an Unknown before it."""
    for index, value in enumerate(values):
        if isinstance(value, Unknown):
            if not value.may_be_unset or (value.otherwise is not None and value.otherwise.value):
                return value
            then = first_set(*values[index + 1 :])
            if isinstance(then, Unknown) and then.otherwise is None and then.parts and None not in then.parts:
                then = Known(value=then.parts, source=then.source)
            return value.replace(otherwise=then if isinstance(then, Known) else then.otherwise)
        if value is not None and value.value:
            return value
    return Unknown(reason="nothing sets it", source=CELERYS)


_WITHIN_A_TRANSPORT = str.maketrans("", "", "+-._")


def _parsed(url: Known) -> Value:
    if isinstance(url.value, Parts):
        partial = parsed_in_part(url.value)
        is_placed = partial is not None and partial.hosts
        return url.replace(value=partial) if is_placed else Unknown(reason="its place isn't known", source=url.source)
    text = url.value[0] if isinstance(url.value, (list, tuple)) and len(url.value) == 1 else url.value
    if isinstance(text, (list, tuple)) and len(text) > 1:
        return Unknown(reason="it names several brokers, and Celery takes the first that answers", source=url.source)
    parts = parsed(text) if isinstance(text, str) else None
    if parts is None:
        return Unknown(reason="it isn't a URL that Celery can read", source=url.source)
    if not parts.transport.translate(_WITHIN_A_TRANSPORT).isalnum():
        return Unknown(reason=f"something puts in its transport later ({parts.transport})", source=url.source)
    return url.replace(value=parts)


def unless_unset(value: Value) -> Value | None:
    """Return a value, None where nothing sets it."""
    return None if is_unset(value) else value


def is_unset(value: Value) -> bool:
    """Tell whether nothing sets a value."""
    return isinstance(value, Known) and value.value is None
