"""Python values as far as a settings file tells them without being run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Opaque:
    """A value that only a running pod knows; ``line`` is where that began."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason = reason
        self.line = line

    def __repr__(self) -> str:
        return f"Opaque({self.reason!r}, {self.line})"


class Table(dict):  # type: ignore[type-arg]
    """A dictionary, shared by the names that hold it; ``doubt`` says why it may hold something else by now."""

    doubt: Opaque | None = None
    partial: bool = False
    """Whether it has other keys, which aren't known."""
    rest: Opaque | None = None
    """Why they aren't."""


class Listing(list):  # type: ignore[type-arg]
    """A list, shared by the names that hold it; ``doubt`` says why it may hold something else by now."""

    doubt: Opaque | None = None


class NamedQueue(str):
    """A kombu Queue, of which only the name matters here."""

    __slots__ = ()


class Namespace:
    """What ``globals()`` gives."""


class Environ:
    """What ``os.environ`` is."""


class Module:
    """A module of Python's own library."""

    def __init__(self, name: str) -> None:
        self.name = name


class Modules:
    """What ``sys.modules`` is."""


class Function:
    """A function of Python's own library, by its full name."""

    def __init__(self, name: str) -> None:
        self.name = name


class Defined:
    """A function of the settings file that gives one expression: its parameters, their defaults, the expression."""

    def __init__(self, parameters: tuple[str, ...], defaults: tuple[Any, ...], result: Any) -> None:
        self.parameters, self.defaults, self.result = parameters, defaults, result


class Missing(Opaque):
    """No value: to compute it fails for sure, with a KeyError."""


def wrapped(value: Any) -> Any:
    """Return a deep copy of plain data as values of this module."""
    if isinstance(value, dict):
        table = table_like(value)
        for key, item in value.items():
            table[key] = wrapped(item)
        return table
    if isinstance(value, list):
        return Listing(wrapped(item) for item in value)
    return value


def table_like(value: dict[Any, Any]) -> Table:
    """Return a shallow copy of a dictionary."""
    table = Table(value)
    table.doubt = getattr(value, "doubt", None)
    table.partial = getattr(value, "partial", False)
    table.rest = getattr(value, "rest", None)
    return table


def copied(value: Any, copies: dict[int, Any]) -> Any:
    """Return a deep copy of ``value``; ``copies`` has the copies by the identity of what they are of."""
    if not isinstance(value, (dict, list, set, tuple)):
        return value
    known_copy = copies.get(id(value))
    if known_copy is not None:
        return known_copy
    if isinstance(value, tuple):
        return tuple(copied(element, copies) for element in value)
    if isinstance(value, dict):
        copies[id(value)] = result = table_like(value) if isinstance(value, Table) else dict(value)
        for key, item in value.items():
            if isinstance(item, (dict, list, set, tuple)):
                result[key] = copied(item, copies)
        return result
    kind: Any = type(value)
    copies[id(value)] = same = kind(value)
    if isinstance(value, list):
        same[:] = [copied(element, copies) for element in value]
        if isinstance(value, Listing):
            same.doubt = value.doubt
    return same


def keys_doubt(value: Any) -> Opaque | None:
    """Return why it isn't known which items ``value`` has, None where it is."""
    if isinstance(value, Opaque):
        return value
    if getattr(value, "partial", False):
        return getattr(value, "rest", None) or Opaque("it has items that Open edX's own settings make")
    doubt = getattr(value, "doubt", None)
    return doubt if isinstance(doubt, Opaque) else None


def doubt_in(value: Any) -> Opaque | None:
    """Return why ``value``, or what is in it, isn't known; None where all of it is."""
    if isinstance(value, Opaque):
        return value
    if isinstance(value, (Table, Listing)) and value.doubt is not None:
        return value.doubt
    if isinstance(value, dict):
        return next((doubt for part in (*value, *value.values()) if (doubt := doubt_in(part))), None)
    if isinstance(value, (list, tuple, set, frozenset)):
        return next((doubt for part in value if (doubt := doubt_in(part))), None)
    if isinstance(value, (Namespace, Environ, Function, Module, Modules, Defined)):
        return Opaque("it is no plain value")
    return None


def spoil(value: Any, why: Opaque) -> None:
    """Note that something unknown may have changed ``value``, wherever it is held."""
    if isinstance(value, (Table, Listing)):
        value.doubt = value.doubt or why
    if isinstance(value, dict):
        for part in value.values():
            spoil(part, why)
    elif isinstance(value, (list, tuple)):
        for part in value:
            spoil(part, why)
