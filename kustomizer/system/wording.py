"""Phrases that depend on a number."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def plural(number: int, noun: str) -> str:
    """Return ``1 object``, ``2 objects``."""
    return f"{number} {noun_for(number, noun)}"


def noun_for(number: int, noun: str) -> str:
    """Return ``object`` for one, ``objects`` for any other number."""
    return f"{noun}s" if number != 1 else noun


def joined(words: Sequence[str], *, most: int | None = None) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; where there are more than ``most``, ``a, b and 7 more``."""
    if most is not None and len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
