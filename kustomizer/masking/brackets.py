"""The strings within a bracket: ``BASIC_AUTH = ("lms", "…")``, in whatever language a file is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias

Span: TypeAlias = "tuple[int, int]"

WINDOW = 20_000
"""So many letters of a bracket are read: quotes that don't match would take the rest of the file for one string."""

_TOKEN = re.compile(
    r"""(?<!\\)"((?:[^"\\\n]|\\.)*)"|(?<!\\)'((?:[^'\\\n]|\\.)*)'"""
    r"""|(?<!\\)\\+"([^"\\\n]*)\\+"|(?<!\\)\\+'([^'\\\n]*)\\+'|[\[({]|[\])}]"""
)
_OPENING = frozenset("[({")
_READINGS = 4
"""A text can be read in so many ways at least: outside of quotes, within either kind, within escaped ones."""


class Brackets:
    """Reads the strings in a text's brackets, each once: a bracket within another one isn't read again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._readings: list[_Reading] = []

    def strings(self, start: int) -> Iterator[Span]:
        """Yield the strings of the bracket that is opened before ``start``, the keys of a dictionary left out."""
        reading = next((reading for reading in self._readings if start in reading.brackets), None)
        if reading is None:
            reading = _Reading(self._text, start)
            self._readings = [reading, *self._readings[: _READINGS - 1]]
        yield from reading.strings(start)


class _Reading:
    """A text read from one bracket on, as far as somebody asked for."""

    def __init__(self, text: str, start: int) -> None:
        self.brackets = {start}
        self._text = text
        self._open = [start]
        self._position = self._end = start

    def strings(self, start: int) -> Iterator[Span]:
        """Yield the strings of the bracket at ``start`` that haven't been read yet."""
        depth = bisect_left(self._open, start)
        is_open = depth < len(self._open) and self._open[depth] == start
        if not is_open or start + WINDOW <= self._end:
            return
        # A whole window more, so that brackets within brackets don't read a few letters each, again and again.
        self._end = max(start, self._end) + WINDOW
        for token in _TOKEN.finditer(self._text, self._position, self._end):
            self._position = token.end()
            if token.lastindex:
                if not self._text[token.end() : token.end() + 3].lstrip().startswith(":"):
                    yield token.span(token.lastindex)
            elif token.group() in _OPENING:
                self._open.append(token.end())
                self.brackets.add(token.end())
            else:
                self._open.pop()
                if len(self._open) <= depth:
                    self._end = self._position
                    return
