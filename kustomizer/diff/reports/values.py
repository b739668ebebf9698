"""Formats the values of fields for people: scalars as words, collections as YAML."""

from __future__ import annotations

from typing import Any

from kustomizer.manifests.writer import emit
from kustomizer.masking.marks import CHANGED_SECRET, SECRET
from kustomizer.system.visible import visible, visible_lines

_MASKS = (SECRET, CHANGED_SECRET)
_OTHER_TYPES = frozenset({"", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "{}", "[]"})
_BEGIN_NUMBERS = frozenset("0123456789.+-")


def is_one_line(value: Any) -> bool:
    """Tell whether a value fits in a line: a scalar without line breaks, or an empty collection."""
    return not value if isinstance(value, (dict, list)) else not isinstance(value, str) or "\n" not in value


def one_line(value: Any) -> str:
    """Return a value that is_one_line; a string is quoted only where it looks like another type."""
    if isinstance(value, str):
        return f'"{visible(value)}"' if _seems_another(value) else visible(value)
    # Without the newline at the end.
    return emit(value)[:-1]


def lines(value: Any) -> list[str]:
    """Return the lines of any value; a collection is YAML."""
    if is_one_line(value):
        return [one_line(value)]
    if isinstance(value, str):
        return visible_lines(value)
    return [_unquoted(line) for line in visible_lines(emit(value))]


def _seems_another(text: str) -> bool:
    return (
        text.lower() in _OTHER_TYPES
        or text[0] in "\"'{["
        or text[-1] == " "
        or (text[0] in _BEGIN_NUMBERS and text.replace("_", "").isascii() and _is_number(text))
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.lower().startswith(("0x", "0o", "0b", ".inf", "-.inf", ".nan"))
    return True


def _unquoted(line: str) -> str:
    """Return a line of YAML with its masks unquoted, as they are elsewhere in a report."""
    for mask in _MASKS:
        line = line.replace(f"'{mask}'", mask)
    return line
