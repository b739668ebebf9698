"""Reading a build in pieces: what comes out is what reading it as a whole gives."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from kustomizer.errors import UserError
from kustomizer.manifests import stream
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.stream import read_documents
from kustomizer.manifests.tree import plain_value

PIECES = st.sampled_from(
    (
        *(
            "---\n",
            "---",
            "--- a\n",
            "...\n",
            "%YAML 1.1\n",
            "\n",
            "# a\n",
            " ",
            "\r\n",
            "\ufeff",
            "é",
            "\u2014",
            "\x85",
        ),
        *("a: 1\n", "b: |\n  text\n", "c: é\n", "d: '\u2028'\n", "- x\n", "e: \u2014\n", "e: 1", "---\n---\n", "{}\n"),
    )
)


def as_a_whole(data: bytes) -> object:
    try:
        return [(item.text, plain_value(item.tree)) for item in read_stream(data, b"{}").resources]
    except UserError as error:
        return error.problems


def in_pieces(data: bytes) -> object:
    try:
        return [(item.text, plain_value(item.tree)) for item in read_documents(io.BytesIO(data), {})]
    except UserError as error:
        return error.problems


@given(st.lists(PIECES, max_size=12).map("".join), st.integers(1, 9), st.sampled_from((b"", b"\xff", b"\xc3")))
def test_it_is_what_reading_it_as_a_whole_gives(text: str, size: int, more: bytes) -> None:
    data = text.encode() + more
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_BLOCK", size)
        assert in_pieces(data) == as_a_whole(data)


def test_a_build_is_in_memory_once() -> None:
    count, size = 400, 20_000
    data = "---\n".join(f"kind: ConfigMap\nname: m-{number}\nfile: {'é' * size}\n" for number in range(count)).encode()
    texts: dict[str, str] = {}
    before = read_documents(io.BytesIO(data), texts)
    tracemalloc.start()
    try:
        after = read_documents(io.BytesIO(data), texts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(old.text is new.text for old, new in zip(before, after, strict=True))
    assert peak < len(data) / 2
