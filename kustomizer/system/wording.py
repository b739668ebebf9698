"""Phrases that depend on a number."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """Return ``1 object``, ``2 objects``."""
    return f"{number} {noun}{'s' * (number != 1)}"
