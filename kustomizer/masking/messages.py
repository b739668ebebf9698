"""Takes the secrets out of what another program says, before that is passed on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.masking import places
from kustomizer.masking.brackets import Span
from kustomizer.masking.marks import SECRET

# The data of a Secret: as JSON, as Go prints a map (`map[string]interface {}{"a":"b"}` and `map[a:b]`), as YAML.
_DATA = re.compile(
    r"""\b(?:stringData|data|binaryData)\b\\*["']?:\s*"""
    r"""(?:&?map\[[\w{} ]*\](?:interface \{\}|any|string)(?=\{)|map(?=\[))?"""
)
_ITEMS = re.compile(r"[\[{]")
_MARKS = re.compile(r"""[\[{\]}]|\\*"(?:[^"\\]|\\[^"])*\\*\"""")
_CLOSING = {"[": "]", "{": "}"}
_OPENING = frozenset(_CLOSING)
_LINES = re.compile(r"(?:[^\n]*\n(?P<indent>[ \t]+)[^\n]*)?(?:\n(?P=indent)[^\n]*)*")


def without_secrets(text: str) -> str:
    """Return ``text`` with the secrets in it masked: in doubt too much is."""
    # Programs print a text of several lines as one, with \n in it: a line break that leaves every letter in its place.
    lines = text.replace("\\n", " \n")
    spans = [*places.in_text(text), *places.in_text(lines), *(_of_secrets(text) if "Secret" in text else ())]
    parts, position = [], 0
    for start, end in places.merged(spans):
        parts += [text[position:start], SECRET]
        position = end
    return "".join([*parts, text[position:]])


def problem_without_secrets(problem: Problem) -> Problem:
    """Return a problem that another process reports, with the secrets in its words masked."""
    return problem.replace(message=without_secrets(problem.message), remedy=without_secrets(problem.remedy))


def _of_secrets(text: str) -> Iterator[Span]:
    """Yield the data of the objects in a text that speaks of a Secret; which object is one isn't looked at."""
    position = 0
    while match := _DATA.search(text, position):
        start = match.end()
        if opening := _ITEMS.match(text, start):
            position = _end_of_bracket(text, opening.end())
            yield (opening.end(), position)
        else:
            lines = _LINES.match(text, start)
            position = max(lines.end() if lines else start, match.end())
            yield (start, position)


def _end_of_bracket(text: str, start: int) -> int:
    """Return where the content ends of the bracket before ``start``: with the text, where nothing closes it."""
    depth = 1
    for mark in _MARKS.finditer(text, start):
        if mark.group() in _OPENING:
            depth += 1
        elif mark.group() in {"]", "}"}:
            depth -= 1
            if not depth:
                return mark.start()
    return len(text)
