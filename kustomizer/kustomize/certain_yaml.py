"""Reads YAML only where every reader reads the same in it.

What is built and what is looked at before must be the same thing. kustomize has three readers of YAML (one for
kustomizations, one for objects, one for annotations), and they differ from each other and from ours in what a file of a
stranger may hold: duplicate keys, merge keys, aliases, tags, several documents, odd line breaks. Such a text is
:class:`Uncertain`; the caller asks kustomize what it makes of it, or refuses it.
"""

from __future__ import annotations

import os

from kustomizer.manifests import canonical_reader
from kustomizer.manifests.canonical_reader import NotCanonical
from kustomizer.manifests.characters import has_odd_character
from kustomizer.manifests.tree import Scalar
from kustomizer.system.processes import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CUT = "spec:"
"""The one field of an object that is left unread: it can be long, and says nothing about what is run."""

_BRACKETS = {"[": "]", "{": "}"}
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./")
"""Letters that a simple word begins with."""
_SIMPLE = _FIRST | frozenset("_-, :")


class Uncertain(Exception):  # noqa: N818 - not an error of the text, which may be good YAML
    """Two readers might read the text differently; the message says why."""


def text_of(path: str, directory: str) -> str:
    """Return what is in a file. Raises Uncertain where kustomize wouldn't read it: it has to be below ``directory``."""
    real = os.path.realpath(path)
    if not real.startswith(f"{directory.rstrip('/')}/"):
        raise Uncertain("it leads out of its directory")
    if not os.path.isfile(real):  # noqa: PTH113
        raise Uncertain("it is no file")
    try:
        return read_file(real).decode()
    except (OSError, UnicodeDecodeError):
        raise Uncertain("it can't be read as UTF-8") from None


def read_one(text: str) -> Any:
    """Return the one document of ``text``; None where there is none. Raises Uncertain."""
    documents = [tree for tree in map(_read, _documents(text)) if tree is not None]
    if len(documents) > 1:
        raise Uncertain("it holds several documents")
    return documents[0] if documents else None


def read_heads(text: str) -> list[Any]:
    """Return the objects of ``text`` without their ``spec``, which a full reader may have left in. Raises Uncertain."""
    trees = [_read(lines, without_spec=True) for lines in _documents(text)]
    return [tree for tree in trees if tree is not None]


def _documents(text: str) -> list[list[str]]:
    """Return the lines of each document."""
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    # A text of printable lines needs no regular expression, which takes longer to import than this takes in all.
    if "\r" in text or has_odd_character("".join(lines)):
        raise Uncertain("it holds control characters, or odd line breaks")
    documents: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(("---", "...", "%")):
            if not line.startswith("---") or (line[3:].strip() and not line[3:].lstrip(" ").startswith("#")):
                raise Uncertain("it holds a directive, or an odd separator of documents")
            documents.append([])
        else:
            documents[-1].append(line)
    return documents


def _without_comments(lines: list[str]) -> list[str]:
    lines_left: list[str] = []
    block: int | None = None
    for line in lines:
        content = line.lstrip(" ")
        depth = len(line) - len(content)
        if block is not None:
            if not content or depth > block:
                lines_left.append(line)
                continue
            block = None
        if content and not content.startswith("#"):
            lines_left += _in_block_style(line, depth) if line.endswith(("]", "}")) else (line,)
            block = _owner_of_block(content, depth)
    return lines_left


def _in_block_style(line: str, depth: int) -> list[str]:
    """Return the lines of the same meaning as `key: [a, b]` or `key: {a: b}`, where the words are simple ones."""
    head, _, rest = line.partition(": ")
    key, inner = head[depth:], rest[1:-1]
    if rest[:1] not in _BRACKETS or rest[-1] != _BRACKETS[rest[0]] or not _SIMPLE.issuperset(key + inner) or " " in key:
        return [line]
    words = [word.strip(" ") for word in inner.split(",")]
    for word in words:
        name, colon, value = word.partition(": ")
        is_pair = bool(colon) and value[:1] in _FIRST
        if is_pair != (rest[0] == "{") or name[:1] not in _FIRST or ":" in name + value:
            return [line]
    margin = f"{' ' * depth}{'  ' if rest[0] == '{' else '- '}"
    return [f"{head}:", *(margin + word for word in words)]


def _owner_of_block(content: str, depth: int) -> int | None:
    """Return the column that a block of text has to be right of, None where the line doesn't open one."""
    token = content.rpartition(" ")[2]
    if not token.startswith(("|", ">")):
        return None
    while content.startswith("- ") and content[2:] != token:
        content = content[2:]
        depth += 2
    return depth


def _without_spec(lines: list[str]) -> list[str]:
    lines_left: list[str] = []
    cut = False
    has_spec = False
    for line in lines:
        if line and line[0] != " ":
            # A sequence may stand at its key's own column.
            cut = line.startswith(_CUT) or (cut and line.startswith("-"))
            if cut and has_spec and line.startswith(_CUT):
                raise Uncertain("the key 'spec' stands there twice")
            has_spec = has_spec or cut
        if not cut:
            lines_left.append(line)
    return lines_left


def _read(lines: list[str], *, without_spec: bool = False) -> Any:
    plain = _without_comments(lines)
    if not plain:
        return None
    try:
        tree = canonical_reader.read(_without_spec(plain) if without_spec else plain)
    except NotCanonical:
        return _read_fully("\n".join(lines))
    # What looks like a comment, or like nothing, is a part of such a text, and was left out.
    return _read_fully("\n".join(lines)) if _has_folded(tree) else tree


def _has_folded(node: Any) -> bool:
    """Tell whether a quoted scalar goes on in a next line."""
    if type(node) is dict:
        return any(_has_folded(child) for pair in node.items() for child in pair)
    if type(node) is list:
        return any(map(_has_folded, node))
    return type(node) is Scalar and node.raw[:1] in {"'", '"'} and "\n" in node.raw


def _read_fully(text: str) -> Any:
    from kustomizer.errors import UserError  # noqa: PLC0415 - most texts don't come here
    from kustomizer.manifests import full_reader  # noqa: PLC0415 - PyYAML takes as long as the rest of a build of ours

    try:
        tree = full_reader.read(text)
    except UserError as error:
        raise Uncertain(error.problems[0].message) from None
    if full_reader.has_shorthands(text):
        raise Uncertain("it has an alias, a tag, or a merge key")
    return tree
