"""The fast reader and the full one give the same tree, whenever the fast one gives one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from kustomizer.errors import UserError
from kustomizer.manifests import canonical_reader, full_reader
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from tests.examples import examples
from tests.kustomize_yaml import ODD_SPELLINGS, SPELLINGS, kustomize_trees, letters, plain_trees, spelled


def fast(text: str, indent: int = 0) -> Any:
    assert text.endswith("\n")
    return canonical_reader.read(text.removesuffix("\n").split("\n"), indent)


def ordered(node: Any) -> Any:
    """Return ``node`` so that two of them are equal only with the same order of keys and the same types."""
    if isinstance(node, dict):
        return ["mapping", *((key, ordered(value)) for key, value in node.items())]
    if isinstance(node, list):
        return ["sequence", *map(ordered, node)]
    return (type(node), repr(node))


def agree(text: str) -> None:
    """Fail where the fast reader gives something else than the full one."""
    try:
        tree = fast(text)
    except canonical_reader.NotCanonical:
        return
    assert ordered(plain_value(tree)) == ordered(plain_value(full_reader.read(text)))


@pytest.mark.parametrize(("value", "raw"), SPELLINGS, ids=ascii)
def test_what_kustomize_wrote_is_read_by_both_and_written_again(value: str, raw: str) -> None:
    scalar = spelled(value, raw)
    tree = {"data": {"first": scalar, "second": scalar}, "list": [scalar, {"key": scalar}, [scalar]]}
    expected = {"data": {"first": value, "second": value}, "list": [value, {"key": value}, [value]]}
    text = emit(tree)
    assert plain_value(fast(text)) == expected
    assert plain_value(full_reader.read(text)) == expected
    assert emit(fast(text)) == text


@pytest.mark.parametrize(("value", "raw"), ODD_SPELLINGS, ids=ascii)
def test_what_kustomize_wrote_is_left_to_the_full_reader(value: str, raw: str) -> None:
    text = emit({"key": spelled(value, raw), "next": "a"})
    with pytest.raises(canonical_reader.NotCanonical):
        fast(text)
    assert plain_value(full_reader.read(text)) == {"key": value, "next": "a"}
    assert plain_value(full_reader.read(emit(full_reader.read(text)))) == {"key": value, "next": "a"}


def test_a_long_key_is_left_to_the_full_reader() -> None:
    text = f"? {'k' * 129}\n: a\n? {'k' * 2000}\n: - b\n"
    with pytest.raises(canonical_reader.NotCanonical):
        fast(text)
    tree = full_reader.read(text)
    assert plain_value(tree) == {"k" * 129: "a", "k" * 2000: ["b"]}
    assert plain_value(full_reader.read(emit(tree))) == plain_value(tree)


@given(kustomize_trees(), st.sampled_from([0, 2, 4]))
def test_kustomizes_form_is_read_without_the_full_reader(tree: dict[str, Any], indent: int) -> None:
    text = emit(tree, indent)
    read = fast(text, indent)
    assert ordered(plain_value(read)) == ordered(plain_value(tree))
    assert ordered(plain_value(full_reader.read(text))) == ordered(plain_value(tree))
    assert emit(read, indent) == text


@given(plain_trees())
def test_readers_agree_on_what_we_write(tree: dict[str, Any]) -> None:
    agree(emit(tree))


@given(st.lists(st.sampled_from(
    [" ", "  ", "\n", "- ", "-", "a", "b", ": ", ":", "a: ", "|", "|2", "|-", "+", "'", '"', "#", "\\", "\t", "x",
     "---", "...", "&a", "*a", "!t", "{", "}", "[", "]", ",", "?", "? ", "\n  ", "\n- ", "\na: ",
     "\n  b: ", "<<", "\r", "~"],
), max_size=25).map("".join))  # fmt: skip
@example("--- a: b")
@example("a: |--\n  b")
@example("a: |\n\tb: c")
@example("a: |\n  \tb")
@example("a: |\n   \n  b")
@example("a: |\n  ")
@example("a: |\n  b\n  \n  c")
@example("a: b\n ")
@example("- a\n ")
@example("a: 'b\rc'")
@settings(max_examples=examples(1000))
def test_readers_agree_on_yaml_like_text(text: str) -> None:
    text += "\n"
    try:
        full_reader.read(text)
    except UserError:
        with pytest.raises(canonical_reader.NotCanonical):
            fast(text)
        return
    agree(text)


@given(kustomize_trees(), st.data())
@settings(max_examples=examples(300))
def test_readers_agree_on_a_changed_text(tree: dict[str, Any], data: st.DataObject) -> None:
    text = emit(tree)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    changed = text[:start] + data.draw(st.text(letters(), max_size=3)) + text[end:] + "\n"
    try:
        full_reader.read(changed)
    except UserError:
        with pytest.raises(canonical_reader.NotCanonical):
            fast(changed)
        return
    agree(changed)
