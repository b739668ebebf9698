"""The names of a settings module while its statements are followed: what each holds, and where that is from."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.python_values import Environ, Module, Opaque, copied, spoil
from kustomizer.openedx.celery.values import Known, Source, Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Hashable, Iterable, Iterator
    from typing import Any, Protocol

    from kustomizer.openedx.celery.values import Value

    class Variables(Protocol):
        """A container's environment."""

        def get(self, name: str) -> Value | None:
            """Return a variable's value, None where it isn't set."""


_CELERYS_NAMES = frozenset(
    {"BROKER_TRANSPORT_OPTIONS", "BROKER_URL", "BROKER_USE_SSL", "CELERY_QUEUES", "EXPLICIT_QUEUES", "CELERY_ROUTES"}
)
_MISSING = object()
_DEEPEST_IMPORT = 20
_MOST_STEPS = 20_000
_DEEPEST_BY_NAME = 3


class Doubt:
    """Something that may have set any name before it was set again."""

    def __init__(self, why: Opaque, source: Source, *, maybe: bool) -> None:
        self.why = why
        self.source = source
        self.maybe = maybe
        """Whether it is likely that it sets none of Celery's names: code that isn't part of the build."""


class _Nothing:
    """The environment of no container."""

    def get(self, _name: str) -> None:
        return None


class Names:
    """What a scope holds at one time."""

    def __init__(self, values: dict[str, Any], sources: dict[str, Source]) -> None:
        self.values = values
        self.sources = sources
        self.doubts: dict[str, Doubt] = {}
        self.everything: Doubt | None = None
        self.settled: set[str] = set()
        self.functions: dict[str, ast.FunctionDef] = {}
        self.variables: dict[str, Value | None] = {}
        """What statements have done to the environment; the empty name stands for any other."""

    def copy(self) -> Names:
        """Return a copy that can be changed by itself."""
        # What two names share, their copies share, too.
        copies: dict[int, Any] = {}
        names = Names({name: copied(value, copies) for name, value in self.values.items()}, dict(self.sources))
        names.doubts, names.everything, names.settled = dict(self.doubts), self.everything, set(self.settled)
        names.functions, names.variables = dict(self.functions), dict(self.variables)
        return names


class Scope:
    """A Django settings module's names, after its statements have been followed."""

    def __init__(
        self, names: dict[str, Any], sources: dict[str, Source], environment: Variables, *, origin: Hashable = None
    ) -> None:
        """Begin with ``names`` of these ``sources``, which scopes of the same ``origin`` share."""
        self.origin = origin
        self._held = Names(names, sources)
        self._environment = environment
        self._place = Source()
        self._depth = 0
        self.calls = 0
        """How many functions of the file are being followed, one in another."""
        self.steps = 0
        """How many calls of them and rounds of loops there were in all."""

    @contextlib.contextmanager
    def within(self, place: Source) -> Iterator[None]:
        """Follow statements of the file at ``place``."""
        before = self._place
        self._place = place
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._place = before

    @property
    def variables(self) -> Variables:
        """Who is asked for variables of the environment."""
        return self._environment

    @contextlib.contextmanager
    def asking(self, container: Variables) -> Iterator[None]:
        """Ask ``container`` for variables until the block ends."""
        before = self._environment
        self._environment = container
        try:
            yield
        finally:
            self._environment = before

    def forget_container(self) -> None:
        """Keep nothing of the container, and with it of its build, now that all statements have been followed."""
        self._environment = _Nothing()

    def has_set(self, names: frozenset[str]) -> bool:
        """Tell whether just ``names`` were set since the beginning."""
        is_settled = self._held.settled == names and not self._held.doubts and self._held.everything is None
        return is_settled and not self._held.functions and not self._held.variables

    def names(self) -> Names:
        """Return a copy of what it holds."""
        return self._held.copy()

    def take(self, names: Names) -> None:
        """Hold a copy of ``names`` in place of what it holds."""
        self._held = names.copy()

    def read(self, name: str) -> tuple[Any, Source, Doubt | None]:
        """Return what a name holds (an Opaque where that can't be known), its source, and what may have set it."""
        doubt = self._held.doubts.get(name)
        if doubt is None and name not in self._held.settled:
            doubt = self._held.everything
        value = self._held.values.get(name, _MISSING)
        source = self._held.sources.get(name, Source())
        if doubt is not None and not doubt.maybe:
            return doubt.why, doubt.source, None
        return (None if value is _MISSING else value), source, doubt

    def has(self, name: str) -> bool:
        """Tell whether a name is set."""
        return name in self._held.values

    def holds_environment(self, name: str) -> bool:
        """Tell whether a name is one of the environment itself."""
        return isinstance(self._held.values.get(name), Environ)

    def holds_plain(self, name: str) -> bool:
        """Tell whether a name holds a text, a number or a truth value."""
        return isinstance(self._held.values.get(name), (str, int, float))

    def get(self, name: str, line: int, *, default: Any = _MISSING) -> Any:
        """Return what a name holds for a statement on ``line``."""
        value, _, _ = self.read(name)
        if name in self._held.values:
            return value
        if default is not _MISSING and self._held.everything is None and not name.startswith("__"):
            return default if name in _CELERYS_NAMES else Opaque(f"{name} isn't known", line)
        return value if isinstance(value, Opaque) else Opaque(f"{name} isn't known", line)

    def bind(self, name: str, value: Any, line: int = 0) -> None:
        """Give a name a value."""
        self._held.values[name] = value
        self._held.sources[name] = self._place.replace(
            line=value.line if isinstance(value, Opaque) and value.line else line
        )
        self._held.doubts.pop(name, None)
        self._held.settled.add(name)
        self._held.functions.pop(name, None)

    def touch(self, holder: Any, line: int) -> None:
        """Note that what ``holder`` holds was changed on ``line``."""
        if not isinstance(holder, (dict, list, set)):
            return
        for name, value in self._held.values.items():
            if value is holder:
                self._held.sources[name] = self._place.replace(line=line)

    def spoil(self, value: Any, why: Opaque) -> None:
        """Note that something unknown may have changed ``value``, which names may hold."""
        spoil(value, why)
        self.touch(value, why.line)

    def remove(self, name: str) -> None:
        """Forget a name."""
        self._held.values.pop(name, None)
        self._held.doubts.pop(name, None)
        self._held.settled.add(name)

    def make_opaque(self, names: Iterable[str], why: Opaque) -> None:
        """Note that each of these names may have been set, or what it holds be changed."""
        for name in names:
            if isinstance(self._held.values.get(name), Module):
                continue  # a call of one of its functions doesn't change it
            if name in self._held.values:
                spoil(self._held.values[name], why)
            self.bind(name, why, why.line)

    def doubt_all(self, why: Opaque, *, maybe: bool = False, source: Source | None = None) -> None:
        """Note that any name may have been set; ``source`` is what would say more than the statement that did it."""
        doubt = Doubt(why, source or self._place.replace(line=why.line), maybe=maybe)
        if self._held.everything is None or self._held.everything.maybe or not maybe:
            self._held.everything = doubt
            self._held.settled.clear()
            self._held.doubts = {name: kept for name, kept in self._held.doubts.items() if not kept.maybe}

    def environment(self, name: str) -> Value | None:
        """Return a variable of the environment: what statements have made it, or the container's."""
        if name in self._held.variables:
            return self._held.variables[name]
        return self._held.variables.get("") or self._environment.get(name)

    def changes(self, name: str) -> bool:
        """Tell whether statements have changed a variable of the environment, or may have."""
        return name in self._held.variables or "" in self._held.variables

    def set_variable(self, name: str, value: Any, line: int) -> None:
        """Change a variable of the environment; None takes it out."""
        if isinstance(value, Opaque):
            self.doubt_variable(name, value)
        else:
            place = self._place.replace(line=line)
            self._held.variables[name] = None if value is None else Known(value=str(value), source=place)

    def doubt_variable(self, name: str, why: Opaque) -> None:
        """Note that a variable of the environment may have been changed; any one without a ``name``."""
        unknown = Unknown(reason=why.reason, source=self._place.replace(line=why.line))
        if not name:
            self._held.variables.clear()
        self._held.variables[name] = unknown

    def defines(self, name: str) -> bool:
        """Tell whether a name is a function of this file."""
        return name in self._held.functions

    def define(self, function: ast.FunctionDef, value: Any) -> None:
        """Note a function of the file."""
        self.bind(function.name, value, function.lineno)
        self._held.functions[function.name] = function

    def function(self, name: str) -> ast.FunctionDef:
        """Return a function of this file."""
        return self._held.functions[name]

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Leave a name as it was when the block ends, as a comprehension does."""
        value, source = self._held.values.get(name, _MISSING), self._held.sources.get(name)
        settled = name in self._held.settled
        try:
            yield
        finally:
            self._held.values.pop(name, None)
            self._held.sources.pop(name, None)
            if value is not _MISSING:
                self._held.values[name] = value
            if source is not None:
                self._held.sources[name] = source
            if not settled:
                self._held.settled.discard(name)

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """Follow what a function of the file gives."""
        self.calls += 1
        self.steps += 1
        try:
            yield
        finally:
            self.calls -= 1

    def empty(self) -> Scope:
        """Return a scope for a module that this one imports names from."""
        scope = Scope({}, {}, self._environment)
        scope._depth = self._depth
        # Which module changes the environment doesn't matter.
        scope._held.variables = self._held.variables
        return scope

    @property
    def is_long(self) -> bool:
        """Whether so much has been followed that it may have no end."""
        return self.steps > _MOST_STEPS

    @property
    def is_shallow(self) -> bool:
        """Whether few modules are being imported."""
        return self._depth <= _DEEPEST_BY_NAME

    @property
    def is_deep(self) -> bool:
        """Whether modules import each other without an end."""
        return self._depth > _DEEPEST_IMPORT
