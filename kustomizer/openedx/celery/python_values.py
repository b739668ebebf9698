"""Python values, as far as they can be read from a settings file that isn't run."""

from __future__ import annotations

import operator
from datetime import timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable
    from typing import Any

    from kustomizer.openedx.celery.values import Parts, Source

_DEEPEST = 50


class Opaque:
    """A value that only a running pod knows; ``line`` is where it became unknown."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason = reason
        self.line = line

    @property
    def why(self) -> Opaque:
        """What is made of it, by something that doesn't hand it on as it is."""
        return self

    def __repr__(self) -> str:
        return f"Opaque({self.reason!r}, {self.line})"


class Missing(Opaque):
    """No value: computing it surely raises KeyError."""


class Partial(Opaque):
    """A text that is known in part."""

    def __init__(self, reason: str, line: int, parts: Parts) -> None:
        super().__init__(reason, line)
        self.parts = parts

    @property
    def why(self) -> Opaque:
        """The parts are those of this text alone."""
        return Opaque(self.reason, self.line)


class NamedQueue(Opaque):
    """A kombu Queue; only its name matters here."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__("it is a kombu Queue", line)
        self.name = name


class Table(dict):  # type: ignore[type-arg]
    """A dictionary, shared by the names that hold it; ``doubt`` says why its content may have changed."""

    doubt: Opaque | None = None
    changed: Source | None = None
    """Where its content was changed last."""
    partial: bool = False
    """Whether it has more keys, which aren't known."""
    rest: Opaque | None = None
    """Why those keys aren't known; None where Open edX's own settings make them."""


class Listing(list):  # type: ignore[type-arg]
    """A list, shared by the names that hold it; ``doubt`` says why its content may have changed."""

    doubt: Opaque | None = None
    changed: Source | None = None


class Passing(Listing):
    """An iterator, or a live view of ``of``: zip(), a generator, a dictionary's items()."""

    def __init__(self, items: Iterable[Any] = (), of: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.of: list[tuple[Any, list[Any]]] = []
        for one in of:
            self.of += one.of if isinstance(one, Passing) else [(one, _changeable(one))]

    def goes_on(self, done: int) -> bool:
        """Tell whether a loop over the items, ``done`` of which are done, will still get the others."""
        for one, before in self.of:
            start = done if isinstance(one, dict) else 0
            now = _changeable(one)
            is_same = len(now) == len(before) and all(map(operator.is_, now[start:], before[start:]))
            if own_doubt(one) is not None or not is_same:
                return False
        return True


def _changeable(value: Any) -> list[Any]:
    """Return the parts of ``value`` that may change while a loop goes over it: Python lets no key change."""
    return [*value.values()] if isinstance(value, dict) else [*value] if isinstance(value, list) else []


class Group(set):  # type: ignore[type-arg]
    """A set, shared by the names that hold it; ``doubt`` says why its content may have changed."""

    doubt: Opaque | None = None
    changed: Source | None = None


HOLDERS = (Table, Listing, Group)
"""The mutable values."""


class Namespace:
    """The names of a module, as ``globals()`` or an import gives them."""

    def __init__(self, module: str) -> None:
        self.module = module


class Environ:
    """Represents ``os.environ``."""


class Module:
    """A module of Python's own library."""

    def __init__(self, name: str) -> None:
        self.name = name


class Modules:
    """Represents ``sys.modules``."""


class Function:
    """A function of Python's own library, by its full name."""

    def __init__(self, name: str) -> None:
        self.name = name


class Member(int):
    """A number with a name in Python's own library; Python's version decides which of the two ``str()`` gives."""


class Defined:
    """A function or class that settings define: its node, its module and file, its parameters' defaults."""

    def __init__(self, node: Any, module: str, place: Source, defaults: dict[str, Any], *, is_plain: bool) -> None:
        self.node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef = node
        self.module, self.place, self.defaults = module, place, defaults
        self.is_plain = is_plain
        """Whether a call of it can be followed."""


_TRUE = (Namespace, Environ, Module, Modules, Function, Defined)


def has_attribute(value: Any, name: str) -> bool:
    """Tell whether ``value`` may have an attribute."""
    is_plain = isinstance(value, (str, int, float, timedelta, *HOLDERS, tuple, type(None)))
    kind = next((kind for kind in (dict, list, set) if isinstance(value, kind)), type(value))
    return not is_plain or hasattr(kind, name)


def wrapped(value: Any) -> Any:
    """Return plain data as values of this module."""
    if isinstance(value, dict):
        return Table({key: wrapped(item) for key, item in value.items()})
    return Listing(wrapped(item) for item in value) if isinstance(value, list) else value


def table_like(value: dict[Any, Any]) -> Table:
    """Return a shallow copy of a dictionary."""
    table = Table(value)
    table.doubt = getattr(value, "doubt", None)
    table.partial = getattr(value, "partial", False)
    table.rest = getattr(value, "rest", None)
    return table


def shallow(value: Any) -> Any:
    """Return what ``copy.copy`` gives."""
    if isinstance(value, Table):
        return table_like(value)
    if isinstance(value, (Listing, Group)):
        same = type(value)(value)
        same.doubt = value.doubt
        return same
    return value


def merge(table: Table, other: dict[Any, Any]) -> None:
    """Put the items of ``other`` into ``table``, as ``update`` does."""
    table.doubt = table.doubt or getattr(other, "doubt", None)
    if getattr(other, "partial", False):
        # Its other items may be any of those that are there.
        why = keys_doubt(other)
        for key in table.keys() - other.keys():
            spoil(table[key], why)  # type: ignore[arg-type]
            table[key] = why
        table.partial, table.rest = True, table.rest or getattr(other, "rest", None)
    table.update(other)
    if table.doubt is not None:
        spoil(table, table.doubt)


def copied(value: Any, copies: dict[int, Any]) -> Any:
    """Return a deep copy of ``value``; ``copies`` has each copy by the id() of its original."""
    if not isinstance(value, (dict, list, set, tuple)):
        return value
    if isinstance(value, tuple):
        return tuple(copied(element, copies) for element in value)
    known_copy = copies.get(id(value))
    if known_copy is not None:
        return known_copy
    copies[id(value)] = same = shallow(value)
    same.changed = value.changed  # type: ignore[union-attr]
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list, set, tuple)):
                same[key] = copied(item, copies)
    elif isinstance(value, list):
        same[:] = [copied(element, copies) for element in value]
    return same


def own_doubt(value: Any) -> Opaque | None:
    """Return why ``value`` itself isn't known, whatever it contains; None where it is."""
    if isinstance(value, Opaque):
        return value.why
    if isinstance(value, _TRUE):
        return Opaque("it is no plain value")
    doubt = getattr(value, "doubt", None)
    return doubt.why if isinstance(doubt, Opaque) else None


def keys_doubt(value: Any) -> Opaque | None:
    """Return why the items of ``value`` aren't known; None where they are."""
    if getattr(value, "partial", False) and value.doubt is None:
        return value.rest or Opaque("it has items that Open edX's own settings make")
    return own_doubt(value)


def parts_of(value: Any) -> Iterable[Any]:
    """Return the keys and items of a collection; nothing for any other value."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()


def doubt_in(value: Any, depth: int = 0) -> Opaque | None:
    """Return why ``value``, or a part of it, isn't known; None where all of it is."""
    if isinstance(value, (str, int)):
        return None
    if depth > _DEEPEST:
        return Opaque("it is nested too deeply")
    doubt = keys_doubt(value)
    parts = () if doubt else (part for part in parts_of(value) if not isinstance(part, NamedQueue))
    return doubt or next((inner for part in parts if (inner := doubt_in(part, depth + 1))), None)


def truth(value: Any) -> bool | Opaque:
    """Return ``bool(value)``."""
    if isinstance(value, _TRUE):
        return True
    if isinstance(value, Passing):
        return Opaque("zip() is true, and range() where it has any")
    if isinstance(value, Table) and not value and value.partial and value.doubt is None:
        return value.rest or True
    return own_doubt(value) or bool(value)


def has_no_order(value: Any) -> bool:
    """Tell whether the order of the items may differ from one run of Python to another."""
    return isinstance(value, (set, frozenset)) and len(value) > 1


def items_of(value: Any) -> Passing | Opaque:
    """Return the items that a loop over ``value`` gives; raise TypeError where it isn't iterable."""
    doubt = keys_doubt(value)
    if doubt is not None:
        return doubt
    if has_no_order(value):
        return Opaque("a set's items come in any order")
    if isinstance(value, (int, float, type(None))):
        raise TypeError(value)
    is_many = isinstance(value, (str, dict, list, tuple, set, frozenset))
    return Passing(value, [value]) if is_many else Opaque("what it goes through isn't known")


def spoil(value: Any, why: Opaque, seen: set[int] | None = None) -> None:
    """Note that unknown code may have changed ``value``, for every name that holds it."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, HOLDERS):
        value.doubt = value.doubt or why
    for part in parts_of(value):
        if isinstance(part, (*HOLDERS, tuple)):
            spoil(part, why, seen)
