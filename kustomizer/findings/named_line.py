"""Finds the line that an error speaks of which isn't about a field: it names a file, a line, or words of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kustomizer import KIND

_CANT_BUILD = re.compile(r"\A\S+ can't build .*:\n")
_LINE = re.compile(r"\bline ([0-9]{1,9})\b")
_QUOTED = re.compile(r"[`'\"]([^`'\"\s]{3,})[`'\"]")
_PATH = re.compile(r"[\w.:+-]*/[\w./:@?=+-]*\w")
_WORD = re.compile(r"[\w.-]{4,}")


def named_line(message: str, texts: Mapping[str, str], first: str) -> tuple[str, int]:
    """Return the file of ``texts`` and the line of it that ``message`` speaks of: line 1 of ``first`` in doubt."""
    message = _CANT_BUILD.sub("", message)
    file = _named_file(message, texts) or first
    line = _LINE.search(message)
    if line is not None and 0 < int(line[1]) <= texts.get(file, "").count("\n") + 1:
        return file, int(line[1])
    text = _without_comments(texts.get(file, ""))
    for word in _words(message):
        found = re.search(rf"(?m)^.*(?<![\w.-]){re.escape(word)}(?![\w-])", text)
        if found is not None:
            return file, text.count("\n", 0, found.start()) + 1
    return file, 1


def _named_file(message: str, texts: Mapping[str, str]) -> str | None:
    """Return the file that is named first, by its whole path if it can be."""
    places = [
        (position, -len(name), path)
        for path in texts
        for name in (path, path.rpartition("/")[2])
        if (position := _position(name, message)) is not None
    ]
    return min(places)[2] if places else None


def _position(name: str, message: str) -> int | None:
    found = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w/-]|\.\w)", message)
    return None if found is None else found.start()


def _words(message: str) -> Iterator[str]:
    """Yield what may stand in the file as it does in the message: what is quoted, paths, their last parts."""
    for pattern in (_QUOTED, _PATH):
        for found in pattern.finditer(message):
            word = found[found.lastindex or 0]
            yield word
            yield word.rpartition("/")[2] if not word.endswith("/") else word
    if KIND in message:
        yield f"kind: {KIND}"
    yield from (word for word in _WORD.findall(message) if not word.isalpha())


def _without_comments(text: str) -> str:
    """Return ``text`` with blanks in the place of its comments."""
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", lambda found: " " * len(found[0]), text)
