"""YAML as the function sees it: dicts, lists and scalars that remember how they were written.

A copy of a worker has to be an exact copy, so a scalar that came in keeps its spelling (``'on'``, ``0x1F``, a block
of text) and goes out with it; what the function itself adds is a plain Python value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Node: TypeAlias = "dict[str, Any] | list[Any] | str | int | float | bool | None"
    Mapping: TypeAlias = "dict[str, Any]"

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUE = frozenset({"true", "True", "TRUE"})
FALSE = frozenset({"false", "False", "FALSE"})


class Scalar(str):
    """A scalar from the input: the text it stands for, and ``raw``, how it was written.

    The first line of ``raw`` is the token or the header of a block (``|-``); further lines are the block's text,
    indented relative to the collection that holds it. ``plain`` is true for an unquoted token, which may stand for
    something else than a string.
    """

    __slots__ = ("plain", "raw")

    raw: str
    plain: bool

    def __new__(cls, text: str, raw: str, *, plain: bool = False) -> Scalar:
        """Return the scalar that stands for ``text`` and is written as ``raw``."""
        self = super().__new__(cls, text)
        self.raw = raw
        self.plain = plain
        return self


def is_null(node: object) -> bool:
    """Tell whether ``node`` is YAML's null, however it is written."""
    return node is None or (type(node) is Scalar and node.plain and node in NULLS)


def plain_value(node: Any) -> Any:
    """Return ``node`` as plain Python values, unquoted scalars read by YAML 1.2's core schema.

    That is how kustomize (go-yaml 3) reads them, too: ``yes`` and ``on`` are strings.
    """
    if type(node) is dict:
        return {str(key): plain_value(value) for key, value in node.items()}
    if type(node) is list:
        return [plain_value(value) for value in node]
    if type(node) is Scalar:
        return _resolve(node) if node.plain else str(node)
    return node


def _resolve(token: Scalar) -> str | int | float | bool | None:
    if token in NULLS:
        return None
    if token in TRUE:
        return True
    if token in FALSE:
        return False
    if token[0] in "+-.0123456789":
        return _number(str(token))
    return str(token)


def _number(token: str) -> str | int | float:
    digits = token.lstrip("+-")
    if "_" in token or len(token) - len(digits) > 1:
        return token
    try:
        if digits[:2] in {"0x", "0o"}:
            return int(token, 0)
        if digits.isdigit():
            return int(token)
        special = {".inf": "inf", ".Inf": "inf", ".INF": "inf", ".nan": "nan", ".NaN": "nan", ".NAN": "nan"}
        if digits in special:
            return float(token[: -len(digits)] + special[digits])
        return float(token) if digits[:1].isdigit() or digits[1:2].isdigit() else token
    except ValueError:
        return token


def clone(node: Any) -> Any:
    """Return a deep copy of ``node``; scalars are immutable and shared."""
    if type(node) is dict:
        return {key: clone(value) for key, value in node.items()}
    if type(node) is list:
        return [clone(value) for value in node]
    return node


def lookup(node: Any, *path: str | int) -> Any:
    """Return what stands at ``path`` below ``node``, or None where a step is missing."""
    for step in path:
        inside = step in node if type(node) is dict else type(node) is list and step in range(len(node))
        if not inside:
            return None
        node = node[step]
    return node
