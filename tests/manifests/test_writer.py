from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given

from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import Scalar, plain_value
from kustomizer.manifests.writer import double_quoted, emit, quote, quoted_scalar
from tests.kustomize_yaml import kustomize_trees, plain_trees, texts


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"a": 1, "b": True, "c": None, "d": 1.5, "e": False}, "a: 1\nb: true\nc: null\nd: 1.5\ne: false\n"),
        ({"a": float("inf"), "b": float("-inf")}, "a: .inf\nb: -.inf\n"),
        ({"a": {}, "b": [], "c": {"d": {}}}, "a: {}\nb: []\nc:\n  d: {}\n"),
        ({"a": ["x", {"b": "c", "d": "e"}, [], {}]}, "a:\n- x\n- b: c\n  d: e\n- []\n- {}\n"),
        ({"a": [["x", ["z"]], [{"b": "c"}]]}, "a:\n- - x\n  - - z\n- - b: c\n"),
        ({"a": "x\ny\n", "b": ["x\n\ny"]}, "a: |\n  x\n  y\nb:\n- |-\n  x\n\n  y\n"),
        ({"a": "x\n\n", "b": "c"}, "a: |+\n  x\n\nb: c\n"),
        (["a", {"b": "c"}], "- a\n- b: c\n"),
        ({}, "{}\n"),
        ([], "[]\n"),
        ("a", "a\n"),
    ],
)
def test_layout_is_kustomizes(node: object, expected: str) -> None:
    assert emit(node) == expected
    assert emit(node, 4) == "".join(f"    {line}\n" if line else "\n" for line in expected.split("\n")[:-1])


def test_scalars_keep_their_spelling() -> None:
    tree = {
        Scalar("on", '"on"'): Scalar("31", "0x1F", plain=True),
        "text": Scalar("a\n b\n", "|2\n  a\n   b"),
        "null": [Scalar("", "", plain=True)],
        "empty": Scalar("", "", plain=True),
    }
    expected = "  \"on\": 0x1F\n  text: |2\n    a\n     b\n  'null':\n  -\n  empty:\n"
    assert emit(tree, 2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"), ("--loglevel=info", "--loglevel=info"), ("a:b", "a:b"), ("a,b", "a,b"), ("/x/y.z", "/x/y.z"),
        ("", "''"), ("yes", "'yes'"), ("Null", "'Null'"), ("12", "'12'"), ("1e3", "'1e3'"), ("0x1F", "'0x1F'"),
        ("a b", "'a b'"), ("it's", "'it''s'"), ("a: b", "'a: b'"), ("a:", "'a:'"), ("=", "'='"), ("<<", "'<<'"),
        ("-", "'-'"), ("~", "'~'"), ("*a", "'*a'"), ("%h", "'%h'"), ("2001-01-01", "'2001-01-01'"), ("1:30", "'1:30'"),
        ("a\tb", '"a\\tb"'), ("\\\t\"", '"\\\\\\t\\""'), ("\x00", '"\\u0000"'), ("a\x85b", '"a\\u0085b"'),
        ("a\u2028", '"a\\u2028"'), ("\ufeffa", '"\\uFEFFa"'), ("\n", '"\\n"'), ("a \nb", '"a \\nb"'),
        (" a\nb", '" a\\nb"'), ("\U0001f600", "'\U0001f600'"), ("a\nb", "|-\n  a\n  b"), ("a\n\n", "|+\n  a\n"),
    ],
)  # fmt: skip
def test_strings_are_spelled_so_that_they_stay_strings(text: str, expected: str) -> None:
    assert quote(text) == expected


@given(texts())
def test_any_string_is_read_back(text: str) -> None:
    for spelling in (quote(text), quoted_scalar(text), double_quoted(text)):
        assert plain_value(full_reader.read(emit({"key": [Scalar(text, spelling)]}))) == {"key": [text]}


@given(texts())
def test_a_quoted_string_is_one_to_pyyaml_as_well(text: str) -> None:
    """PyYAML follows YAML 1.1, where ``yes`` is true and U+2028 ends a line: a reader as different as can be."""
    assert yaml.load(emit({"key": text}), Loader=yaml.CSafeLoader) == {"key": text}


@given(plain_trees())
def test_any_tree_is_read_back(tree: dict[str, Any]) -> None:
    text = emit(tree)
    assert plain_value(full_reader.read(text)) == tree
    assert emit([tree], 2) == "".join(f"  {line}\n" if line else "\n" for line in emit([tree]).split("\n")[:-1])


@given(plain_trees() | kustomize_trees())
def test_the_same_tree_gives_the_same_text_after_a_round(tree: dict[str, Any]) -> None:
    once = emit(full_reader.read(emit(tree)))
    assert emit(full_reader.read(once)) == once
