"""The types of single values in the configuration, and their messages for wrong values."""

from __future__ import annotations

import sys

from kustomizer.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Positive: TypeAlias = int
    NonNegative: TypeAlias = int
    Seconds: TypeAlias = int
    Delay: TypeAlias = int
    Interval: TypeAlias = int
    JsonMap: TypeAlias = dict[str, Any]

LARGEST = 2**31 - 1  # Kubernetes' replicas and KEDA's numbers are int32
SHOWN_LENGTH = 60


class Type:
    """The type of a field's values."""

    expects = ""
    remedy = ""
    blank: Callable[[], object] | None = None

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return ``value`` in the form that Python code uses; add its problems to ``problems``."""
        raise NotImplementedError

    def read_entry(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Read the value of a key, where null may mean an empty section."""
        return self.read(self.blank() if value is None and self.blank else value, at, problems)

    def refuse(self, value: object, at: str, problems: list[Problem], remedy: str = "") -> None:
        """Add the problem that ``value`` isn't of this type."""
        message = f"has to be {self.expects}, not {described(value)}"
        problems.append(Problem(field=at, message=message, remedy=remedy or self.remedy))


class Boolean(Type):
    """True or false; words that look like it are refused."""

    expects = "true or false"

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the boolean."""
        if not isinstance(value, bool):
            self.refuse(value, at, problems)
        return value


class Whole(Type):
    """A whole number from ``minimum`` on; ``2.0`` is one, as in JSON."""

    def __init__(self, expects: str, *, minimum: int, remedy: str = "") -> None:
        self.expects, self.minimum, self.remedy = expects, minimum, remedy

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the number."""
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if not isinstance(number, int) or isinstance(number, bool) or number < self.minimum:
            self.refuse(value, at, problems)
        elif number > LARGEST:
            problems.append(Problem(field=at, message=f"can be {LARGEST} at the most, not {number}"))
        return number


class Text(Type):
    """A string for which ``accepts`` returns true; ``pattern`` says the same in a JSON Schema.

    ``placeholder`` is its name in paths where it is the key of a map. ``accepts`` is a function, since ``re`` takes
    5 ms to import.
    """

    def __init__(
        self,
        expects: str,
        *,
        accepts: Callable[[str], object] | None = None,
        pattern: str = "",
        min_length: int = 0,
        max_length: int = sys.maxsize,
        remedy: str = "",
        placeholder: str = "key",
    ) -> None:
        self.expects, self.accepts, self.pattern = expects, accepts, pattern
        self.min_length, self.max_length = min_length, max_length
        self.remedy, self.placeholder = remedy, placeholder

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the string."""
        if not isinstance(value, str):
            scalar = isinstance(value, (bool, int, float))
            self.refuse(value, at, problems, "Put it in quotes" if scalar else "")
        elif len(value) > self.max_length:
            problems.append(
                Problem(field=at, message=f"is longer than {self.max_length} characters: {described(value)}")
            )
        elif len(value) < self.min_length or (self.accepts and not self.accepts(value)):
            self.refuse(value, at, problems)
        return value


class Choice(Type):
    """One of several words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.expects = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the word."""
        if value not in self.words:
            self.refuse(value, at, problems, did_you_mean(value, self.words))
        return value


class Either(Type):
    """A value of one of several types; the first that accepts it reads it."""

    def __init__(self, expects: str, *types: Type) -> None:
        self.expects, self.types = expects, types

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the value as the first type that accepts it reads it."""
        for kind in self.types:
            refused: list[Problem] = []
            result = kind.read(value, at, refused)
            if not refused:
                return result
        self.refuse(value, at, problems)
        return value


class RawMap(Type):
    """A map that is passed through unchanged."""

    expects = "a map"
    blank = dict

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the map unchanged."""
        if not isinstance(value, dict):
            self.refuse(value, at, problems)
        return value


if not TYPE_CHECKING:  # the names that annotations use; for mypy they are the aliases above
    Positive = Whole("a whole number, 1 or more", minimum=1)
    NonNegative = Whole("a whole number, 0 or more", minimum=0)
    Seconds = Whole("whole seconds, 1 or more", minimum=1, remedy="Write the number of seconds without a unit")
    Delay = Whole("whole seconds, 0 or more", minimum=0, remedy="Write the number of seconds without a unit")
    Interval = Whole("whole seconds, 10 or more", minimum=10, remedy="Write the number of seconds without a unit")
    JsonMap = RawMap()


def join(path: str, key: object) -> str:
    """Return the path of ``key`` in the map at ``path``; with brackets and quotes if the key isn't a plain name."""
    if isinstance(key, str) and key.isascii() and key.replace("-", "_").isidentifier():
        return f"{path}.{key}" if path else key
    text = repr(key)[1:-1].replace('"', '\\"') if isinstance(key, str) else None
    return f"{path}[{key}]" if text is None else f'{path}["{text}"]'


def described(value: object) -> str:
    """Return what ``value`` is, in YAML's words."""
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        return "a map" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        shown = value if len(value) <= SHOWN_LENGTH else f"{value[:SHOWN_LENGTH]}…"
        return f"the string {shown!r}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {value}" if isinstance(value, (int, float)) else f"a {type(value).__name__}"


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """Return a question that suggests the known word most like ``word``; an empty string if none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - costs 6 ms, and only a mistake needs it

    by_letters = {name.replace("_", "").lower(): name for name in known}
    letters = str(word).replace("_", "").replace("-", "").lower()
    close = get_close_matches(letters, by_letters, n=1, cutoff=0.7)
    return f"Did you mean {by_letters[close[0]]}?" if close else ""
