"""YAML trees: dicts, lists, and scalars that remember how they were written.

A copy of a worker has to be exact, so a scalar from the input keeps its spelling (``'on'``, ``0x1F``, a block of text)
in the output. Values that the function adds are plain Python values.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Mapping: TypeAlias = "dict[str, Any]"

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUE = frozenset({"true", "True", "TRUE"})
FALSE = frozenset({"false", "False", "FALSE"})

# The longest number that fits has 64 digits, in binary; int() refuses thousands of them.
_INTEGER = (
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]{1,64})|0[bB](?P<bin>[01]{1,64})"
    r"|0[oO]?(?P<oct>[0-7]{1,64})|(?P<dec>0|[1-9][0-9]{0,63}))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_FLOAT = r"[-+]?(?:\.[0-9]+(?:_[0-9]+)*|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_SURE_LENGTH = 18
"""A number of so few digits is in range, whatever they are."""
_INFINITY = float("inf")
_SPECIAL_FLOATS = {
    **{f"{sign}.{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")},
    **{f".{word}": float("nan") for word in ("nan", "NaN", "NAN")},
}


class Scalar(str):
    """A scalar from the input: its text, and ``raw``, how it was written.

    The first line of ``raw`` is the token or the header of a block (``|-``); further lines are the block's text,
    indented relative to the collection that it is in. ``plain`` is true for an unquoted token, which may be something
    else than a string.
    """

    __slots__ = ("plain", "raw")

    raw: str
    plain: bool

    def __new__(cls, text: str, raw: str, *, plain: bool = False) -> Scalar:
        """Return a scalar whose text is ``text`` and that is written as ``raw``."""
        self = str.__new__(cls, text)  # super() would double what this costs
        self.raw = raw
        self.plain = plain
        return self


_resolved: dict[str, str | int | float | bool | None] = {}
"""The values of the unquoted scalars that were read first: the objects of all workers hold much the same."""
_MOST_RESOLVED = 4000


def is_null(node: object) -> bool:
    """Tell whether ``node`` is YAML's null, in any spelling."""
    return node is None or (type(node) is Scalar and node.plain and node in NULLS)


def plain_value(node: Any) -> Any:
    """Return ``node`` as plain Python values, unquoted scalars read as kustomize (go-yaml 3) reads them.

    ``yes`` and ``on`` are strings there, ``012`` is ten. Dates stay strings, as they do in JSON.
    """
    kind = type(node)
    if kind is Scalar:
        if not node.plain:
            return str(node)
        return _resolved[node] if node in _resolved else _resolve(node)
    if kind is dict:
        # A comprehension would be a call more, until Python 3.12.
        result = {}
        for key, value in node.items():
            result[str(key)] = plain_value(value)
        return result
    if kind is list:
        return [plain_value(value) for value in node]
    return node


def _resolve(token: Scalar) -> str | int | float | bool | None:
    text = str(token)
    value = _value(text)
    if len(_resolved) < _MOST_RESOLVED:
        _resolved[text] = value
    return value


def _value(token: str) -> str | int | float | bool | None:
    if token == "0":
        return 0
    if token in NULLS:
        return None
    if token in TRUE:
        return True
    if token in FALSE:
        return False
    if token[0] in "+-.0123456789" and "/" not in token:
        return _number(token)
    return token


def _number(token: str) -> str | int | float:
    if token.isascii() and token.isdigit() and token[0] != "0" and len(token) <= _SURE_LENGTH:
        return int(token)
    # A version, such as 22.0.1, in many a label.
    if token.count(".") > 1:
        return token
    import re  # noqa: PLC0415 - it costs more than what this module does, and most numbers are the plain ones above

    # go-yaml drops underscores anywhere, save in what starts with a dot (resolve.go).
    digits = token if token[0] == "." else token.replace("_", "")
    if (match := re.fullmatch(_INTEGER, digits)) is not None:
        base = match.lastgroup or ""
        value = int(match.group(base), _BASES[base])
        limit = 2**63 if digits[0] in "+-" else 2**64
        if value < limit or (value == limit and digits[0] == "-"):
            return -value if digits[0] == "-" else value
    if re.fullmatch(_FLOAT, digits):
        number = float(digits)
        return token if number in {_INFINITY, -_INFINITY} else number
    return _SPECIAL_FLOATS.get(token, token)


def clone(node: Any) -> Any:
    """Return a deep copy of ``node``; scalars are immutable and shared."""
    if type(node) is dict:
        return {key: clone(value) for key, value in node.items()}
    if type(node) is list:
        return [clone(value) for value in node]
    return node


def lookup(node: Any, *path: str | int) -> Any:
    """Return the node at ``path`` below ``node``, None where a step is missing."""
    for step in path:
        if type(node) is dict:
            node = node.get(step)
        elif type(node) is list and type(step) is int and 0 <= step < len(node):
            node = node[step]
        else:
            return None
    return node


def text_at(node: Any, *path: str | int) -> str:
    """Return the scalar at ``path`` as text, empty where there is none, or null."""
    found = lookup(node, *path)
    return "" if is_null(found) else str(found)


def number_at(node: Any, *path: str | int) -> int | None:
    """Return the whole number at ``path``, None where there is none.

    ``2.0`` is one: clients hand it on as JSON (sigs.k8s.io/yaml), where Go writes it as 2.
    """
    value = plain_value(lookup(node, *path))
    number = int(value) if type(value) is float and value.is_integer() else value
    return number if type(number) is int else None


def list_at(node: Any, *path: str | int) -> list[Any]:
    """Return the list at ``path``, an empty one where there is none."""
    found = lookup(node, *path)
    return found if isinstance(found, list) else []


def mapping(node: Any) -> dict[str, Any]:
    """Return a mapping as plain values; an empty one where ``node`` is something else: a build may hold anything."""
    value = plain_value(node)
    return value if isinstance(value, dict) else {}


def mappings(node: Any) -> list[dict[str, Any]]:
    """Return a list of mappings as plain values; an item that is something else gives an empty one in its place."""
    value = plain_value(node)
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def string_list(node: Any, field: str) -> list[str] | None:
    """Return the list in ``field``, a container's ``command`` say, as strings; None where there is no list."""
    items = lookup(node, field)
    return [str(item) for item in items] if isinstance(items, list) else None


def command_words(container: Any) -> list[str]:
    """Return the words of a container's ``command`` and ``args``, empty where the image's own are run."""
    return [word for field in ("command", "args") for word in string_list(container, field) or ()]
