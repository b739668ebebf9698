"""The names of one module of settings: what each holds, where that is from, and what may have set it besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.openedx.celery.python_values import Environ, Module, Opaque, copied
from kustomizer.openedx.celery.values import Source

if TYPE_CHECKING:
    from typing import Any

_NOWHERE = Source()


class Doubt:
    """Something that may have set a name before it was set again."""

    def __init__(self, why: Opaque, source: Source, *, maybe: bool) -> None:
        self.why = why
        self.source = source
        self.maybe = maybe
        """Whether it is likely that it sets none of Celery's names: code that isn't part of the build."""


class Names:
    """What the names of a module hold at one time."""

    def __init__(self, values: dict[str, Any], sources: dict[str, Source]) -> None:
        self.values = values
        self.sources = sources
        self.everything: Doubt | None = None
        """What may have set any name that isn't among ``settled``."""
        self.settled: set[str] = set()
        self.failure: Opaque | None = None
        """What may make an import of the module fail."""
        self.lost: dict[str, Doubt] = {}
        """Names that a function may set whenever something unknown calls it."""

    def copy(self, copies: dict[int, Any]) -> Names:
        """Return a copy that can be changed by itself; what two names share, their ``copies`` share, too."""
        values = dict(self.values)
        for name, value in self.values.items():
            if isinstance(value, (dict, list, set, tuple)):  # most are texts and numbers
                values[name] = copied(value, copies)
        names = Names(values, dict(self.sources))
        names.everything, names.settled, names.lost = self.everything, set(self.settled), dict(self.lost)
        names.failure = self.failure
        return names

    def read(self, name: str) -> tuple[Any, Source, Doubt | None]:
        """Return what a name holds (an Opaque where that can't be known), its source, and what may have set it."""
        value = self.values.get(name)
        # Whatever may have set any name is likely to have left `os`.
        is_settled = name in self.settled or isinstance(value, (Environ, Module))
        doubt = self.lost.get(name) or (None if is_settled else self.everything)
        if doubt is not None and not doubt.maybe:
            return doubt.why, doubt.source, None
        return value, getattr(value, "changed", None) or self.sources.get(name, _NOWHERE), doubt

    def doubt(self, doubt: Doubt) -> None:
        """Note that any name may have been set."""
        if self.everything is None or self.everything.maybe or not doubt.maybe:
            self.everything = doubt
            self.settled.clear()
