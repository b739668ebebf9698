"""Finds many strings in a text, in a time that doesn't grow with how many they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kustomizer.masking.brackets import Span

SHORTEST = 8
"""What is shorter stands in many a word by chance. Tutor's shortest passwords are as long."""

_MANY = 400
"""Up to so many strings, Python's search for each is faster than a look at each letter of the text."""
_NONE: Mapping[int, frozenset[str]] = {}


class Finder:
    """Strings of SHORTEST letters or more, to be found in texts; shorter ones are left out."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = sorted({string for string in strings if len(string) >= SHORTEST})
        self._by_head: dict[str, dict[int, set[str]]] = {}
        for string in self._strings if len(self._strings) > _MANY else ():
            by_length = self._by_head.setdefault(string[:SHORTEST], {})
            by_length.setdefault(len(string), set()).add(string)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where a string stands in ``text``; they may overlap."""
        if self._by_head:
            yield from self._by_letters(text)
            return
        for string in self._strings:
            start = text.find(string)
            while start >= 0:
                yield (start, start + len(string))
                start = text.find(string, start + len(string))

    def _by_letters(self, text: str) -> Iterator[Span]:
        for start in range(len(text) - SHORTEST + 1):
            for length, strings in self._by_head.get(text[start : start + SHORTEST], _NONE).items():
                if text[start : start + length] in strings:
                    yield (start, start + length)
