"""Options of a worker: the command line's, and those that Celery's command takes from the environment in their place.

Celery gives click a prefix for variables (celery/bin/celery.py): ``CELERY_WORKER_CONCURRENCY`` stands for a missing
``--concurrency``, and ``BROKER_URL`` for ``--broker``. An empty variable is none.
"""

from __future__ import annotations

from kustomizer.openedx.celery.values import Known, Source, Unknown
from kustomizer.worker_command.command_line import split_queues
from kustomizer.worker_command.options import SPELLINGS, list_words, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.openedx.celery.environment import Environment
    from kustomizer.openedx.celery.values import Value
    from kustomizer.worker_command.command_line import CommandLine
    from kustomizer.worker_command.options import Option, Setting

# Options of `celery` that name a variable of their own.
_VARIABLES = {
    "--app": "APP",
    "--broker": "BROKER_URL",
    "--result-backend": "RESULT_BACKEND",
    "--loader": "LOADER",
    "--config": "CONFIG_MODULE",
}


class Command:
    """The options of one worker."""

    def __init__(self, command_line: CommandLine, environment: Environment, source: Source) -> None:
        self._line = command_line
        self._environment = environment
        self._source = source
        self._leading = list(_leading(command_line))

    def option(self, name: str) -> Value | None:
        """Return the value of an option, None where neither the command nor the environment gives it."""
        option = SPELLINGS[name]
        settings = [setting for setting in self._settings(before=option.before_worker) if setting.option is option]
        if settings and settings[-1].value is not None:
            return self._expanded(settings[-1].value)
        return self._unreadable(option) or self.variable(name)

    def variable(self, name: str) -> Value | None:
        """Return what the environment gives in the place of an option, None where it gives nothing.

        Not every version of Celery heeds one that stands for a flag.
        """
        option = SPELLINGS[name]
        suffix = name.removeprefix("--").replace("-", "_").upper()
        prefix = "CELERY_" if option.before_worker else "CELERY_WORKER_"
        for variable in filter(None, (_VARIABLES.get(name), prefix + suffix)):
            value = self._environment.get(variable)
            if isinstance(value, Unknown):
                # What may be set somewhere unseen is hardly ever an option.
                if not value.may_be_unset:
                    return value
            elif value is not None and value.value != "":
                return value
        return None

    def has(self, name: str) -> Value:
        """Return whether a flag is given."""
        option = SPELLINGS[name]
        if any(setting.option is option for setting in self._settings(before=option.before_worker)):
            return Known(value=True, source=self._source)
        unreadable = self._unreadable(option)
        if unreadable is not None:
            return unreadable
        value = self.variable(name)
        if isinstance(value, Known):
            # Older versions of click take whatever there is for a yes, newer ones for a no (8.1 and 8.5 were tried).
            return Unknown(reason="what Celery makes of this variable depends on its version", source=value.source)
        return value or Known(value=False, source=self._source)

    @property
    def queues(self) -> Value | None:
        """The queues of ``--queues``, None where there is no such option."""
        return _listed(self.option("--queues"))

    @property
    def excluded_queues(self) -> Value | None:
        """The queues of ``--exclude-queues``, None where there is no such option."""
        return _listed(self.option("--exclude-queues"))

    @property
    def overrides(self) -> bool:
        """Whether settings follow the options (``-- worker.prefetch_multiplier=4``)."""
        return any(
            item.trouble == "positional" and "=" in "".join(w.text for w in item.words) for item in self._line.items
        )

    def _settings(self, *, before: bool) -> Iterator[Setting]:
        if before:
            yield from self._leading
            return
        for item in self._line.items:
            yield from item.settings

    def _unreadable(self, option: Option) -> Unknown | None:
        """Return why it isn't known whether a command that can't be read has an option.

        Of those before ``worker`` it may name a broker; a worker of lms runs no other application.
        """
        if not self._line.doubt or (option.before_worker and option.name != "--broker"):
            return None
        return Unknown(reason=self._line.doubt, source=self._source, may_be_unset=option.before_worker)

    def _expanded(self, text: str) -> Value:
        value = (
            self._environment.expanded(text) if "$(" in text or "$$" in text else Known(value=text, source=self._source)
        )
        if self._line.script is not None and "$" in text:
            return Unknown(reason=f"a shell makes {text} into something else", source=self._source)
        return value.replace(source=self._source)


def _leading(line: CommandLine) -> Iterator[Setting]:
    """Yield the options between ``celery`` and ``worker``."""
    tokens = [*(line.command or ()), *(line.args or ())]
    if line.script is not None:
        from kustomizer.worker_command.shell_words import read_script  # noqa: PLC0415 - only a shell string needs it

        tokens = read_script(line.script.head + "\n")[-1].texts[:-1]
    else:
        tokens = tokens[: line.place]
    words = list_words(tokens)
    names = [number for number, token in enumerate(tokens) if token.rsplit("/", 1)[-1] == "celery"]
    index = names[-1] + 1 if names else len(words)
    while index < len(words):
        item = read(words, index)
        yield from item.settings
        index += len(item.words)


def _listed(value: Value | None) -> Value | None:
    return value.replace(value=split_queues(str(value.value))) if isinstance(value, Known) else value
