"""Settings while their statements are followed: the names of each module, the environment, and what is being called."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.jumps import SettingsFailed
from kustomizer.openedx.celery.names import Doubt, Names
from kustomizer.openedx.celery.python_values import HOLDERS, Module, Opaque, Passing, spoil
from kustomizer.openedx.celery.values import Source
from kustomizer.openedx.celery.variables import Variables

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import Any, NoReturn

    from kustomizer.openedx.celery.container import Container
    from kustomizer.openedx.celery.values import Value

_CELERYS_NAMES = frozenset(
    {"BROKER_TRANSPORT_OPTIONS", "BROKER_URL", "BROKER_USE_SSL", "CELERY_QUEUES", "EXPLICIT_QUEUES", "CELERY_ROUTES"}
)
_UNSET = object()
_MOST_STEPS = 5_000


class Scope(Variables):
    """Django settings while their statements are followed, and afterwards."""

    def __init__(
        self,
        names: dict[str, Any],
        sources: dict[str, Source],
        container: Container,
        *,
        module: str,
        base: str,
        origin: Hashable = None,
    ) -> None:
        """Begin ``module`` with ``names`` of these ``sources``, those of the module ``base``.

        Scopes of the same ``origin`` share them.
        """
        super().__init__(container)
        names |= {name: Module(name) for name in library.LOADED}
        self.origin = origin
        self.base = base
        self.module = self._main = module
        """The module whose statements are followed."""
        self._modules = {base: Names(names, sources), module: Names(dict(names), dict(sources))}
        self._frames: list[dict[str, Any]] = []
        """Names of the functions and comprehensions that are followed, as far as these see each other's."""
        self.run: Callable[[Iterable[ast.stmt]], None] = lambda _nodes: None
        """Follows statements."""
        self.doubt: Doubt | None = None
        """What may have set a name that the present statement has read."""
        self.calls = 0
        """How many functions of the settings are being followed, one in another."""
        self.steps = 0
        """How many calls of them and rounds of loops there were in all."""
        self.tries = 0
        """How many statements are being followed, one in another, whose failure may be handled."""

    @contextlib.contextmanager
    def at(self, module: str, place: Source | None = None, *frames: dict[str, Any]) -> Iterator[None]:
        """Follow statements of ``module``, of the file at ``place``, which see the names of these ``frames``."""
        before = self.module, self.place, self._frames
        self.module, self.place, self._frames = module, place or self.place, [*frames]
        try:
            yield
        finally:
            self.module, self.place, self._frames = before

    @contextlib.contextmanager
    def local(self, names: Iterable[str]) -> Iterator[None]:
        """Have ``names`` of their own until the block ends, as a comprehension does."""
        before = self._frames
        self._frames = [*before, dict.fromkeys(names, _UNSET)]
        try:
            yield
        finally:
            self._frames = before

    @staticmethod
    def frame(names: Iterable[str], given: dict[str, Any]) -> dict[str, Any]:
        """Return the names of a function that is called, and what its parameters are given."""
        return dict.fromkeys(names, _UNSET) | given

    @property
    def is_local(self) -> bool:
        """Whether a function or comprehension is being followed."""
        return bool(self._frames)

    @property
    def is_long(self) -> bool:
        """Whether so much has been followed that it may have no end."""
        return self.steps > _MOST_STEPS

    # Modules

    def names_of(self, module: str) -> Names | None:
        """Return the names of a module that was followed, None where it wasn't."""
        return self._modules.get(module)

    def add(self, module: str) -> Names:
        """Begin with a module, which has no names."""
        return self._modules.setdefault(module, Names({}, {}))

    @property
    def is_new(self) -> bool:
        """Whether no statement of the site's was followed yet."""
        held = self._modules[self._main]
        is_settled = bool(held.settled or held.lost or held.everything)
        return not is_settled and not self._variables and len(self._modules) <= len({self._main, self.base})

    def state(self) -> tuple[dict[str, Names], dict[str, Value | None]]:
        """Return a copy of all that it holds."""
        copies: dict[int, Any] = {}
        return {name: names.copy(copies) for name, names in self._modules.items()}, dict(self._variables)

    def take(self, state: tuple[dict[str, Names], dict[str, Value | None]]) -> None:
        """Hold a copy of ``state`` in place of what it holds."""
        copies: dict[int, Any] = {}
        self._modules = {name: names.copy(copies) for name, names in state[0].items()}
        self._variables = dict(state[1])

    # Names

    def read(self, name: str) -> tuple[Any, Source, Doubt | None]:
        """Return what a setting holds (an Opaque where that can't be known), its source, and what may have set it."""
        return self._modules[self._main].read(name)

    def _holder(self, name: str) -> dict[str, Any]:
        for frame in self._frames[::-1]:
            if name in frame:
                return frame
        return self._modules[self.module].values

    def value(self, name: str) -> Any:
        """Return what a name holds, None where it isn't set."""
        value = self._holder(name).get(name)
        return None if value is _UNSET else value

    def has(self, name: str) -> bool:
        """Tell whether a name is set."""
        return self._holder(name).get(name, _UNSET) is not _UNSET

    def get(self, name: str, line: int, *, default: Any = _UNSET) -> Any:
        """Return what a name holds for a statement on ``line``."""
        names, holder = self._modules[self.module], self._holder(name)
        if name == "__name__":
            return self.module
        if holder is not names.values:
            return self.value(name) if self.has(name) else Opaque(f"{name} isn't set", line)
        value, _, doubt = names.read(name)
        if name in names.values or isinstance(value, Opaque):
            self.doubt = self.doubt or doubt
            return value
        if default is not _UNSET and names.everything is None and (name in _CELERYS_NAMES or name in names.settled):
            return default
        return Opaque(f"{name} isn't known", line)

    @contextlib.contextmanager
    def trying(self) -> Iterator[None]:
        """Follow what may fail, until the block ends, without ending the settings."""
        self.tries += 1
        try:
            yield
        finally:
            self.tries -= 1

    def fail(self, why: Opaque) -> None:
        """Note a failure: where nothing handles it, the worker doesn't start."""
        self.unknown.append(why)
        if not self.tries:
            self.stop(Opaque(f"the settings fail: {why.reason}", why.line))

    @staticmethod
    def stop(why: Opaque) -> NoReturn:
        """Follow nothing more."""
        raise SettingsFailed(why)

    def bind(self, name: str, value: Any, line: int = 0) -> None:
        """Give a name a value."""
        if isinstance(value, Passing):
            value = Opaque("what it goes through is kept under a name", line)
        names, holder = self._modules[self.module], self._holder(name)
        holder[name] = value
        if holder is names.values:
            if name in names.lost:
                # Something unknown may change what the name holds from now on.
                self.spoil(value, names.lost[name].why)
            line = value.line if isinstance(value, Opaque) and value.line else line
            names.sources[name] = self.place.replace(line=line)
            names.settled.add(name)
            names.derived.pop(name, None)
            if self.doubt is not None:
                names.derived[name] = self.doubt

    def import_name(self, name: str, names: Names) -> None:
        """Give a name what it has among ``names``, those of another module."""
        held = self._modules[self.module]
        held.values[name], held.sources[name], doubt = names.read(name)
        held.settled.add(name)
        held.derived.pop(name, None)
        if doubt is not None:
            held.derived[name] = doubt

    def remove(self, name: str) -> None:
        """Forget a name."""
        held, holder = self._modules[self.module], self._holder(name)
        if holder is not held.values:
            holder[name] = _UNSET
        else:
            holder.pop(name, None)
            held.settled.add(name)

    def touch(self, holder: Any, line: int) -> None:
        """Note that what ``holder`` holds was changed on ``line``."""
        if not isinstance(holder, HOLDERS):
            return
        holder.changed = self.place.replace(line=line)
        if self.doubt is not None:
            names = self._modules[self.module]
            names.derived |= {name: self.doubt for name, value in names.values.items() if value is holder}

    def spoil(self, value: Any, why: Opaque) -> None:
        """Note that something unknown may have changed ``value``, which names may hold."""
        spoil(value, why)
        self.touch(value, why.line)

    def may_be_had(self, name: str, why: Opaque) -> None:
        """Note that an object that isn't known may give what a setting holds."""
        self.spoil(self.read(name)[0], why)

    def may_be_set(self, names: Iterable[str], why: Opaque) -> None:
        """Note that each of these names may have been set."""
        for name in names:
            # To import a module once more changes nothing.
            if not isinstance(self.value(name), Module):
                self.bind(name, why, why.line)

    def may_be_set_anywhere(self, name: str, why: Opaque) -> None:
        """Note that a name may have been set in any module, by way of an object that isn't known."""
        for module, held in list(self._modules.items()):
            if name in held.values or (module == self._main and name.isupper()):
                with self.at(module):
                    self.may_be_set([name], why)

    def lose(self, name: str, why: Opaque) -> None:
        """Note that something unknown may set a name at any time from now on."""
        held = self._modules[self.module]
        held.lost[name] = Doubt(why, self.place.replace(line=why.line), maybe=False)

    def lose_settings(self, names: Iterable[str], why: Opaque) -> None:
        """Note that something else than the settings themselves says what these are."""
        with self.at(self._main):
            for name in names:
                self.lose(name, why)

    def doubt_all(self, why: Opaque, *, maybe: bool = False, source: Source | None = None) -> None:
        """Note that any name may have been set; ``source`` is what would say more than the statement that did it."""
        doubt = Doubt(why, source or self.place.replace(line=why.line), maybe=maybe)
        self._modules[self.module].doubt(doubt)
