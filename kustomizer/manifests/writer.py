"""Writes a tree as kustomize does: block collections, two spaces of indentation, sequences in their key's column."""

from __future__ import annotations

from kustomizer.manifests.characters import escaped, is_line
from kustomizer.manifests.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Every YAML reader takes an unquoted string of these characters for a string if it starts like a word.
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+=,:-")
_SAFE_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/")
_TYPED_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_MEMORABLE = 64
_safe: dict[str, bool] = {}
"""Whether short strings need no quotes: all workers have much the same keys and values."""
_simple_keys: set[str] = set()
"""Short keys, as they are written, that have nothing but a colon behind them."""
_NOT_FINITE = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
_LONGEST_SIMPLE_KEY = 1000
"""libyaml and go-yaml look for the colon after a key in the next 1024 characters."""


def emit(node: Any, indent: int = 0) -> str:
    """Return ``node`` (a mapping or a sequence) as YAML text that starts at column ``indent`` and ends in a newline."""
    out: list[str] = []
    if isinstance(node, dict) and node:
        _mapping(node, " " * indent, out)
    elif isinstance(node, list) and node:
        _sequence(node, " " * indent, out)
    else:
        out.append(" " * indent + "".join(_inline(node, " " * indent)))
    return "\n".join([*out, ""])


def _mapping(node: dict[str, Any], margin: str, out: list[str]) -> None:
    for key, value in node.items():
        token = key.raw if type(key) is Scalar else quote(key)
        head = f"{margin}{token}:" if token in _simple_keys else margin + _key(key, token, margin)
        if type(value) is Scalar:
            raw = value.raw
            if "\n" in raw:
                raw = _at_margin(raw, margin)
            out.append(f"{head} {raw}" if raw else head)
        elif isinstance(value, dict) and value:
            out.append(head)
            _mapping(value, margin + "  ", out)
        elif isinstance(value, list) and value:
            out.append(head)
            _sequence(value, margin, out)
        else:
            out.append(f"{head} {_inline(value, margin)}")


def _key(key: str, token: str, margin: str) -> str:
    if "\n" in token or not token:
        token = double_quoted(key)
    elif len(token) <= _MEMORABLE:
        _simple_keys.add(token)
    return f"{token}:" if len(token) <= _LONGEST_SIMPLE_KEY else f"? {token}\n{margin}:"


def _sequence(node: list[Any], margin: str, out: list[str]) -> None:
    for value in node:
        if isinstance(value, (dict, list)) and value:
            first = len(out)
            if isinstance(value, dict):
                _mapping(value, margin + "  ", out)
            else:
                _sequence(value, margin + "  ", out)
            out[first] = f"{margin}- {out[first][len(margin) + 2 :]}"
        else:
            token = _inline(value, margin)
            out.append(f"{margin}- {token}" if token else f"{margin}-")


def _inline(node: Any, margin: str) -> str:
    """Return a scalar or an empty collection as it is written after its key, a block's lines at ``margin``."""
    if type(node) is Scalar:
        return _at_margin(node.raw, margin)
    if isinstance(node, str):
        return _at_margin(quote(node), margin)
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, dict):
        return "{}"
    if isinstance(node, list):
        return "[]"
    text = repr(node)
    return _NOT_FINITE.get(text, text)


def _at_margin(raw: str, margin: str) -> str:
    if "\n" not in raw:
        return raw
    header, *lines = raw.split("\n")
    return "\n".join([header, *(margin + line if line else "" for line in lines)])


def quote(text: str) -> str:
    """Return the shortest common spelling of a string, in the form of :attr:`Scalar.raw`."""
    safe = _safe.get(text)
    if safe is None:
        safe = _is_safe(text)
        if len(text) <= _MEMORABLE:
            _safe[text] = safe
    return text if safe else quoted_scalar(text)


def _is_safe(text: str) -> bool:
    dashes = 2 if text.startswith("--") else 1 if text.startswith("-") else 0
    if text[dashes : dashes + 1] not in _SAFE_FIRST or not _SAFE.issuperset(text) or text[-1] in ",:":
        return False
    doubled = ("," in text or ":" in text) and any(pair in text for pair in (",,", ",:", ":,", "::"))
    return not doubled and text.lower() not in _TYPED_WORDS


def quoted_scalar(text: str) -> str:
    """Return ``text`` spelled so that every reader takes it for a string."""
    ends_in_space = " \n" in text or text.endswith(" ")
    if "\n" in text and text[0] not in " \n" and not ends_in_space and is_line(text.replace("\n", "")):
        body = text.rstrip("\n")
        chomping = {0: "-", 1: ""}.get(len(text) - len(body), "+")
        lines = (body if chomping == "-" else text[:-1]).split("\n")
        return "\n".join([f"|{chomping}", *(f"  {line}" if line else "" for line in lines)])
    if "\n" not in text and is_line(text):
        return "'" + text.replace("'", "''") + "'"
    return double_quoted(text)


def double_quoted(text: str) -> str:
    """Return ``text`` in double quotes, on one line."""
    return f'"{escaped(text)}"'
