"""Folds text to a number of columns between its words: what is broken can be neither searched for nor copied."""

from __future__ import annotations

import re
import textwrap

_COMMAND = re.compile(r"`[^`\n]+`")
_KEPT = "\0"
"""Stands for a blank that isn't a place to fold at."""


def fold(text: str, width: int, indent: str = "", more: str = "  ") -> list[str]:
    """Return one line of text as several, ``indent`` before each and ``more`` before all but the first.

    A command in backticks stays on one line. A word that is longer than ``width`` is left whole, too.
    """
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _KEPT), text)
    lines = textwrap.wrap(
        whole,
        width,
        initial_indent=indent,
        subsequent_indent=indent + more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]


def fold_lines(text: str, width: int) -> str:
    """Return ``text`` with those of its lines folded that are longer than ``width``."""
    return "\n".join(part for line in text.split("\n") for part in (fold(line, width) if len(line) > width else [line]))
