"""The names of one settings module: their values, the sources of these, and what else may have set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.openedx.celery.python_values import Defined, Environ, Function, Module, Namespace, Opaque, copied
from kustomizer.openedx.celery.values import Source

if TYPE_CHECKING:
    from typing import Any

_NOWHERE = Source()


class Doubt:
    """The reason why a name may have another value than the statements show."""

    def __init__(self, why: Opaque, source: Source, *, maybe: bool) -> None:
        self.why = why
        self.source = source
        self.maybe = maybe
        """Whether it probably sets none of Celery's names: so it is with code that isn't part of the build."""


class Names:
    """The values of a module's names at one point of the run."""

    def __init__(self, values: dict[str, Any], sources: dict[str, Source]) -> None:
        self.values = values
        self.sources = sources
        self.everything: Doubt | None = None
        """What may have set any name that isn't among ``settled``."""
        self.settled: set[str] = set()
        self.failure: Opaque | None = None
        """Why importing the module may fail."""
        self.derived: dict[str, Doubt] = {}
        """Names of ``settled`` that something may have set since, or whose values were made from such names."""
        self.lost: dict[str, Doubt] = {}
        """Names that a function may set whenever something unknown calls it."""

    def copy(self, copies: dict[int, Any]) -> Names:
        """Return an independent copy; names that share a value share its copy, which ``copies`` holds."""
        values = dict(self.values)
        for name, value in self.values.items():
            if isinstance(value, (dict, list, set, tuple)):  # most are texts and numbers
                values[name] = copied(value, copies)
        names = Names(values, dict(self.sources))
        names.everything, names.settled, names.lost = self.everything, set(self.settled), dict(self.lost)
        names.derived, names.failure = dict(self.derived), self.failure
        return names

    def read(self, name: str) -> tuple[Any, Source, Doubt | None]:
        """Return a name's value (an Opaque where it can't be known), its source, and what else may have set it."""
        value = self.values.get(name)
        # Whatever may have set any name is likely to have left `os`, and what can be called.
        is_settled = name in self.settled or isinstance(value, (Defined, Environ, Function, Module, Namespace))
        doubt = self.lost.get(name) or (None if is_settled else self.everything) or self.derived.get(name)
        if doubt is not None and not doubt.maybe:
            return doubt.why, doubt.source, None
        return value, getattr(value, "changed", None) or self.sources.get(name, _NOWHERE), doubt

    def doubt(self, doubt: Doubt) -> None:
        """Note that any name may have been set."""
        if self.everything is None or self.everything.maybe or not doubt.maybe:
            self.everything = doubt
            self.settled.clear()
        else:
            self.derived |= dict.fromkeys(self.settled, doubt)
