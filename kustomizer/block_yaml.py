"""Reads YAML in the form kustomize writes, several times faster than a full parser and without importing one.

kustomize hands resources over as its own encoder writes them: block collections, two spaces of indentation, one line a
scalar unless it is a literal block. Everything else raises :class:`NotCanonical`, and the caller takes
:mod:`kustomizer.full_yaml` instead; ``tests/test_yaml_readers.py`` holds the two to the same result.
"""

from __future__ import annotations

import re

from kustomizer.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"' + r"|'[^']*(?:''[^']*)*'")
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_BLOCK_HEADER = re.compile(r"\|(?:[+-]?[1-9]?|[1-9][+-])")
# What YAML doesn't allow, or takes for a line break where Python's str.split doesn't (kustomize's reader does).
_ODD_CHARACTER = re.compile(
    "[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]",
)
_LONGEST_KEY = 128
"""kustomize writes a longer key behind a question mark."""
_MAX_INDENT = 120
"""Each level of nesting is a few levels of Python's stack; the full parser says what is wrong with too many."""
# What can't start a plain scalar, or starts something only the full parser reads.
_NOT_PLAIN = frozenset("#&*!|>%@`[]{},\"' ")


class NotCanonical(Exception):  # noqa: N818 - not an error: the full parser reads it
    """The text isn't in the form that kustomize writes."""


def read(lines: list[str], indent: int = 0) -> Any:
    """Return the tree of one document, given as lines whose collections start at column ``indent``.

    The lines are without their ends, and the last one isn't empty but for the blank lines of a block of text.
    Raises :class:`NotCanonical` where a full parser is needed, be it to say what is wrong.
    """
    if _ODD_CHARACTER.search("\n".join(lines)):
        raise NotCanonical
    reader = _Reader(lines)
    node = reader.node(indent)
    if reader.skip_blank() is not None:
        raise NotCanonical
    return node


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self.lines = list(lines)
        self.pos = 0

    def skip_blank(self) -> str | None:
        """Return the line at hand, or None at the end; empty lines carry nothing outside of a block."""
        while self.pos < len(self.lines):
            if self.lines[self.pos]:
                return self.lines[self.pos]
            self.pos += 1
        return None

    def node(self, indent: int) -> Any:
        line = self.skip_blank()
        if line is None or _indent(line) != indent or indent > _MAX_INDENT:
            raise NotCanonical
        if _is_item(line, indent):
            return self.sequence(indent)
        if _key(line, indent) is not None:
            return self.mapping(indent)
        raise NotCanonical

    def mapping(self, indent: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while (line := self.skip_blank()) is not None:
            depth = _indent(line)
            if depth < indent or _is_item(line, indent):
                break
            entry = _key(line, indent) if depth == indent else None
            if entry is None:
                raise NotCanonical
            key, rest = entry
            if key in result:
                raise NotCanonical
            self.pos += 1
            result[key] = self.value(rest, indent) if rest else self.below(indent, sequence_indent=indent)
        return result

    def sequence(self, indent: int) -> list[Any]:
        result: list[Any] = []
        while (line := self.skip_blank()) is not None:
            depth = _indent(line)
            if depth < indent:
                break
            if depth > indent:
                raise NotCanonical
            if not _is_item(line, indent):
                break
            rest = line[indent + 2 :]
            if not rest:
                self.pos += 1
                result.append(self.below(indent, sequence_indent=indent + 1))
            elif _is_item(rest, 0) or _key(rest, 0) is not None:
                # '- key: value' opens a collection two columns further in.
                self.lines[self.pos] = " " * (indent + 2) + rest
                result.append(self.node(indent + 2))
            else:
                self.pos += 1
                result.append(self.value(rest, indent))
        return result

    def below(self, indent: int, *, sequence_indent: int) -> Any:
        """Read what follows ``key:``; a sequence may stand at the key's own column."""
        line = self.skip_blank()
        if line is not None:
            depth = _indent(line)
            if depth > indent or (depth == sequence_indent and _is_item(line, depth)):
                return self.node(depth)
        return Scalar("", "", plain=True)

    def value(self, token: str, indent: int) -> Any:
        first = token[0]
        if first == "|":
            return self.literal(token, indent)
        if first in "\"'":
            if (match := _QUOTED.fullmatch(token)) is None:
                raise NotCanonical
            return Scalar(unquote(match.group()), token)
        if token == "{}":
            return {}
        if token == "[]":
            return []
        if not _is_plain(token):
            raise NotCanonical
        return Scalar(token, token, plain=True)

    def literal(self, header: str, indent: int) -> Scalar:
        if not _BLOCK_HEADER.fullmatch(header):
            raise NotCanonical
        digits = header.strip("|+-")
        start = self.pos
        end = start
        content = indent + int(digits) if digits else 0
        for position in range(start, len(self.lines)):
            line = self.lines[position]
            depth = _indent(line)
            if depth == len(line):
                # kustomize quotes a text with a line of spaces.
                if line:
                    raise NotCanonical
                continue
            if depth <= indent:
                break
            if not content and line[depth] == "\t":
                raise NotCanonical
            content = content or depth
            if depth < content:
                raise NotCanonical
            end = position + 1
        while end < len(self.lines) and not self.lines[end].strip(" "):
            end += 1
        block = self.lines[start:end]
        self.pos = end
        text = "\n".join(line[content:] for line in block)
        if "-" in header:
            text = text.rstrip("\n")
        elif "+" in header:
            text += "\n" if block else ""
        else:
            stripped = text.rstrip("\n")
            text = stripped + "\n" if stripped else ""
        return Scalar(text, "\n".join([header, *(line[indent:] for line in block)]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_item(line: str, indent: int) -> bool:
    return line.startswith("- ", indent) or (len(line) == indent + 1 and line.endswith("-"))


def _is_plain(token: str) -> bool:
    if token[0] in _NOT_PLAIN or token[-1] in " :\t" or ": " in token or " #" in token or "\t" in token:
        return False
    return token[0] not in "-:?" or (len(token) > 1 and token[1] != " ")


def _key(line: str, indent: int) -> tuple[Scalar, str] | None:
    """Split ``key: value`` at ``indent``; None where the line is something else."""
    if len(line) == indent:
        return None
    if line[indent] in "\"'":
        match = _QUOTED.match(line, indent)
        if match is None or not line.startswith(":", match.end()):
            return None
        raw, rest = match.group(), line[match.end() + 1 :]
        if (rest and not rest.startswith(" ")) or len(raw) > _LONGEST_KEY:
            return None
        return Scalar(unquote(raw), raw), rest[1:]
    end = line.find(": ", indent)
    if end < 0:
        if not line.endswith(":"):
            return None
        end = len(line) - 1
    raw = line[indent:end]
    if not raw or raw == "<<" or len(raw) > _LONGEST_KEY or not _is_plain(raw):
        return None
    if indent == 0 and raw.startswith(("---", "...")):
        # A marker between documents, perhaps.
        return None
    return Scalar(raw, raw, plain=True), line[end + 2 :]


def unquote(token: str) -> str:
    """Return the text of a quoted scalar that stands on one line."""
    text = token[1:-1]
    if token[0] == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) > 1:
        point = int(code[1:], 16)
        if 0xD800 <= point <= 0xDFFF or point > 0x10FFFF:  # noqa: PLR2004 - half a character, and none
            raise NotCanonical
        return chr(point)
    if code not in _ESCAPED:
        raise NotCanonical
    return _ESCAPED[code]
