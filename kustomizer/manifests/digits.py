"""Reads whole numbers in texts that may hold anything.

``int()`` raises ValueError for thousands of digits, and ``str.isdigit`` is true for ``²``, which it doesn't take.
"""

from __future__ import annotations

_LONGEST = 100
"""No number that Kubernetes, Celery or Redis takes has as many digits."""


def whole_number(text: str) -> int | None:
    """Return the number that ``text`` consists of, None where it is something else, or too long to be meant."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None


def whole_seconds(value: object) -> int | None:
    """Return a time as whole seconds, None where it is no number that Celery could count with, or has no end."""
    if not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        return None
    return int(value)
