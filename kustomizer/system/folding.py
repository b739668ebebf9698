"""Fits text into a number of columns, between its words: what is broken can be neither searched for nor copied."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence

_COMMAND = re.compile(r"`[^`\n]+`")
_KEPT = "\0"
"""Stands for a blank that isn't a place to fold at."""


def fold(text: str, width: int, indent: str = "", more: str = "  ") -> list[str]:
    """Return one line of text as several, ``indent`` before each and ``more`` before all but the first.

    A command in backticks stays on one line. A word that is longer than ``width`` is left whole, too.
    """
    whole = _COMMAND.sub(lambda match: match[0].replace(" ", _KEPT), text)
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


def text_table(lines: Sequence[Sequence[str]], width: int, *, narrowest: int = 0) -> str:
    """Return ``lines`` as columns, the first line as headings. Cells are wrapped so that it fits into ``width``.

    Nothing is returned where a column would have to be narrower than ``narrowest``, or a word broken for that.
    """
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    longest_words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    # A name that is broken over two lines can be neither searched for nor copied.
    gap = "  " if sum(longest_words) + 2 * (len(widths) - 1) <= width else " "
    while sum(widths) + len(gap) * (len(widths) - 1) > width and max(widths) > 1:
        # A word is broken only where wrapping between words isn't enough.
        wrappable = [index for index, size in enumerate(widths) if size > longest_words[index]]
        widest = max(wrappable or range(len(widths)), key=lambda index: widths[index])
        widths[widest] -= 1
        if widths[widest] < narrowest:
            return ""
    text = []
    for line in lines:
        cells = [textwrap.wrap(cell, size, break_on_hyphens=False) for cell, size in zip(line, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            text.append(gap.join(part.ljust(size) for part, size in zip(parts, widths, strict=True)).rstrip())
    return "\n".join(text)
