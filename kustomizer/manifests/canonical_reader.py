"""Reads YAML in the form kustomize writes, several times faster than a full parser and without importing one.

kustomize hands resources over as its own encoder writes them: block collections, two spaces of indentation, one line
for each scalar that isn't a literal block. Anything else raises :class:`NotCanonical`, and the caller uses
:mod:`kustomizer.manifests.full_reader` instead. ``tests/manifests/test_yaml_readers.py`` checks that both agree.
"""

from __future__ import annotations

from kustomizer.manifests.characters import has_odd_character
from kustomizer.manifests.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_CODE_LENGTHS = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789ABCDEFabcdef")
_BLOCK_HEADERS = frozenset(
    f"|{header}"
    for digit in ("", *"123456789")
    for header in (digit, f"+{digit}", f"-{digit}", f"{digit}+", f"{digit}-")
)
_LONGEST_KEY = 128
"""kustomize writes a longer key behind a question mark."""
_MAX_INDENT = 120
"""Each level of nesting takes a few levels of Python's stack. The full parser reports deeper nesting."""
# What can't start a plain scalar, or starts something only the full parser reads.
_NOT_PLAIN = frozenset("#&*!|>%@`[]{},\"' ")


_plain_keys: dict[str, Scalar] = {}
"""The unquoted keys that were read: all workers have much the same, and scalars don't change."""

_plain_values: dict[str, Scalar] = {}
"""The same for unquoted values, as many as the objects of one worker have."""
_MOST_VALUES = 4000


class NotCanonical(Exception):  # noqa: N818 - not an error: the full parser reads it
    """The text isn't in the form that kustomize writes."""


def read(lines: list[str], indent: int = 0) -> Any:
    """Return the tree of one document, given as lines whose collections start at column ``indent``.

    Every line had a newline behind it, the last one too: the end of a block of text depends on it.
    Raises :class:`NotCanonical` where a full parser is needed, also to say what is wrong.
    """
    if has_odd_character("".join(lines)):
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
        """Skip empty lines, which mean nothing outside of a block. Return the next line, None at the end."""
        while self.pos < len(self.lines):
            line = self.lines[self.pos]
            if line:
                return line
            self.pos += 1
        return None

    def node(self, indent: int) -> Any:
        line = self.skip_blank()
        if line is None or _indent(line) != indent or indent > _MAX_INDENT:
            raise NotCanonical
        return self.sequence(indent) if _is_item(line, indent) else self.mapping(indent)

    def mapping(self, indent: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while (line := self.skip_blank()) is not None:
            depth = _indent(line)
            if depth < indent:
                break
            entry = _key(line, indent) if depth == indent else None
            if entry is None:
                if _is_item(line, indent):
                    break
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
        """Read the value below ``key:``; a sequence may start in the same column as its key."""
        line = self.skip_blank()
        if line is not None:
            depth = _indent(line)
            if depth > indent or (depth == sequence_indent and _is_item(line, depth)):
                return self.node(depth)
        return Scalar("", "", plain=True)

    def value(self, token: str, indent: int) -> Any:
        known = _plain_values.get(token)
        if known is not None:
            return known
        first = token[0]
        if first == "|":
            return self.literal(token, indent)
        if first in "\"'":
            end = len(token) if first == '"' and _is_whole(token) else _end_of_quoted(token, 0)
            if end > len(token):
                return self.folded(token, indent)
            if end < len(token):
                raise NotCanonical
            return Scalar(unquote(token), token)
        if token == "{}":
            return {}
        if token == "[]":
            return []
        if not _is_plain(token):
            raise NotCanonical
        scalar = Scalar(token, token, plain=True)
        if len(_plain_values) < _MOST_VALUES:
            _plain_values[token] = scalar
        return scalar

    def folded(self, token: str, indent: int) -> Scalar:
        """Read a quoted scalar of several lines, as kustomize writes one of more than 80 columns.

        It does so in its output and in what it hands to a legacy plugin. A line break means a space.
        """
        parts, raw = [token], [token]
        while True:
            line = self.lines[self.pos] if self.pos < len(self.lines) else ""
            part = line.lstrip(" ")
            # An empty line stands for a newline, an escaped break for nothing: kustomize writes neither.
            if not part or len(line) - len(part) <= indent or parts[-1][-1] in " \t\\" or part[0] == "\t":
                raise NotCanonical
            self.pos += 1
            raw.append(line[indent:])
            parts.append(part)
            end = _end_of_quoted(token[0] + part, 0) - 1
            if end <= len(part):
                break
        if end < len(part):
            raise NotCanonical
        return Scalar(unquote(" ".join(parts)), "\n".join(raw))

    def literal(self, header: str, indent: int) -> Scalar:
        if header not in _BLOCK_HEADERS:
            raise NotCanonical
        digits = header.strip("|+-")
        start = self.pos
        end, content = self.end_of_block(start, indent, indent + int(digits) if digits else 0)
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

    def end_of_block(self, start: int, indent: int, content: int) -> tuple[int, int]:
        """Return where the block of text that begins at ``start`` ends, and the column of its text.

        ``content`` is that column if the block's header states it, else 0.
        """
        end = start
        margin = " " * content
        for position in range(start, len(self.lines)):
            line = self.lines[position]
            if content and line.startswith(margin) and line[-1] != " ":
                end = position + 1
                continue
            depth = _indent(line)
            if depth == len(line):
                # kustomize quotes a text with a line of spaces.
                if line:
                    raise NotCanonical
                continue
            if depth <= indent:
                break
            if not content:
                if line[depth] == "\t":
                    raise NotCanonical
                content, margin = depth, " " * depth
            if depth < content:
                raise NotCanonical
            end = position + 1
        while end < len(self.lines) and not self.lines[end].strip(" "):
            end += 1
        return end, content


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
        end = _end_of_quoted(line, indent)
        if not line.startswith(":", end):
            return None
        raw, rest = line[indent:end], line[end + 1 :]
        if (rest and not rest.startswith(" ")) or len(raw) > _LONGEST_KEY:
            return None
        return Scalar(unquote(raw), raw), rest[1:]
    end = line.find(": ", indent)
    if end < 0:
        if not line.endswith(":"):
            return None
        end = len(line) - 1
    raw = line[indent:end]
    key = _plain_keys.get(raw)
    if key is None:
        if not raw or raw == "<<" or len(raw) > _LONGEST_KEY or not _is_plain(raw):
            return None
        key = _plain_keys[raw] = Scalar(raw, raw, plain=True)
    if indent == 0 and raw.startswith(("---", "...")):
        # It may be a marker between documents.
        return None
    return key, line[end + 2 :]


def _is_whole(token: str) -> bool:
    """Tell whether a scalar in double quotes ends where ``token`` ends: faster than to look for the end."""
    inner = token[1:-1].replace("\\\\", "").replace('\\"', "")
    return len(token) > 1 and token[-1] == '"' and '"' not in inner and not inner.endswith("\\")


def _end_of_quoted(line: str, start: int) -> int:
    """Return the index behind the quoted scalar that starts at ``start``; the line's length + 1 if it has no end."""
    quote = line[start]
    position = start + 1
    while True:
        position = line.find(quote, position)
        if position < 0:
            return len(line) + 1
        if quote == "'":
            if not line.startswith("'", position + 1):
                return position + 1
            position += 2
            continue
        escapes = position
        while line[escapes - 1] == "\\":
            escapes -= 1
        position += 1
        if (position - 1 - escapes) % 2 == 0:
            return position


def unquote(token: str) -> str:
    """Return the text of a quoted scalar on one line."""
    text = token[1:-1]
    if token[0] == "'":
        return text.replace("''", "'")
    if "\\" not in text:
        return text
    # Escaped backslashes come first, since they may stand before any letter.
    return "\\".join([_unescape(part) for part in text.split("\\\\")])


def _unescape(text: str) -> str:
    text = text.replace("\\n", "\n").replace('\\"', '"')
    if "\\" not in text:
        return text
    first, *parts = text.split("\\")
    return first + "".join([_unescape_first(part) for part in parts])


def _unescape_first(text: str) -> str:
    """Return ``text``, which followed a backslash, with the escape at its start replaced."""
    length = _CODE_LENGTHS.get(text[:1])
    if length is None:
        if text[:1] not in _ESCAPED:
            raise NotCanonical
        return _ESCAPED[text[0]] + text[1:]
    digits = text[1 : 1 + length]
    if len(digits) != length or not _HEX.issuperset(digits):
        raise NotCanonical
    point = int(digits, 16)
    if 0xD800 <= point <= 0xDFFF or point > 0x10FFFF:  # noqa: PLR2004 - half a character, and none
        raise NotCanonical
    return chr(point) + text[1 + length :]
