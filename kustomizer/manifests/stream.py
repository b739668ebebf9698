"""Reads a build document by document, so that a large one isn't in memory several times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from kustomizer.manifests.protocols import has_content, has_marker, has_other_lines, read_stream
from kustomizer.manifests.resource import Resource

_BLOCK = 1 << 20
_SEPARATOR = b"\n---\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Unusual(Exception):  # noqa: N818 - never leaves this module
    """Only a parser can separate the documents."""


def read_documents(file: IO[bytes], texts: dict[str, str]) -> list[Resource]:
    """Return the resources that ``read_stream`` reads from ``file``, which must be seekable.

    Equal texts are kept once, in ``texts``: two builds that are compared have most texts in common. Raises UserError
    where the file isn't YAML.
    """
    try:
        return [Resource(texts.setdefault(text, text)) for text in _documents(file)]
    except (_Unusual, UnicodeDecodeError):
        file.seek(0)
        return list(read_stream(file.read(), b"{}").resources)


def _documents(file: IO[bytes]) -> Iterator[str]:
    for part in _parts(file):
        if b"\r" in part:
            raise _Unusual
        document = part.decode()
        if has_other_lines(document) or has_marker(document):
            raise _Unusual
        if has_content(document):
            yield f"{document}\n"


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes between the lines that separate documents."""
    rest = file.read(max(_BLOCK, len(_BYTE_ORDER_MARK)))
    if rest.startswith(_BYTE_ORDER_MARK):
        raise _Unusual
    rest = rest.removeprefix(_SEPARATOR[1:])
    # Reads twice as much each time no document ends: the rest is searched again.
    while block := file.read(max(_BLOCK, len(rest))):
        *parts, rest = (rest + block).split(_SEPARATOR)
        yield from parts
    *parts, last = rest.split(_SEPARATOR)
    yield from parts
    if last and not last.endswith(b"\n"):
        raise _Unusual
    yield last.removesuffix(b"\n")
