"""What is read as certain is what a full reader reads, and what kustomize's readers differ in is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from kustomizer.errors import UserError
from kustomizer.kustomize.certain_yaml import Uncertain, read_heads, read_one
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import plain_value
from tests import sites


def outcome(text: str) -> object:
    try:
        return plain_value(read_one(text))
    except Uncertain:
        return Uncertain


@pytest.mark.parametrize(
    "text",
    [
        "a: [b, ../c]\nd: {e: f, g: h/i}\n",
        "x:\n- a: [b]\n",
        "x:\n- a: {b: c}\n  d: e\n",
        "a: [b, {c: d}]",
        "a: [b: c]",
        "a: {b:c}",
        "a: [- b]",
        "a: [b, ]",
        "a: {b: , c: d}",
        "a: ['b', \"c\"]",
        "a: [1, true, null]",
        "a: |\n  # no comment\n  [b]\nc: [d]\n",
        "- a: |\n    b\n  # a comment\n  c: d\n",
        "# c\na: b # c\n",
        "---\na: b\n",
        "a: |\n  b\n\n\nc: |-\n  # d\n",
        "a:\n# c\n- |\n # e\n- f\n",
        "a: |  # c\n  # d\n  e\n",
        'a: "b\n  # c\n  d"\n',
        "a: 'b\n\n  c: [d]\n  # e'\nf: [g]\n",
        'a:\n- b: "- op: add\\n  path: /c\\n\\\n    \\  value: d\\n"\n  e: f\n',
    ],
)
def test_it_reads_what_a_full_reader_reads(text: str) -> None:
    try:
        expected: object = plain_value(full_reader.read(text))
    except UserError:
        expected = Uncertain
    assert outcome(text) == expected


LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "  ", "    ", "- ", "  - ", "# "]),
        st.sampled_from(["a: ", "b: ", "c:", "- ", "#", "'d': ", ""]),
        st.sampled_from(["[e, f]", "{g: h}", "|", "|-", ">", "i", "'j'", '"k', 'l"', "# m", "[", "]", "&n", "*n", ""]),
    ).map(lambda parts: "".join(parts) + "\n"),
    max_size=7,
).map("".join)


@given(LINES)
def test_it_never_reads_anything_else(text: str) -> None:
    try:
        expected = plain_value(full_reader.read(text))
    except UserError:
        return  # kustomize refuses it as well
    assert outcome(text) in (expected, Uncertain)


@pytest.mark.parametrize(
    "text",
    [
        "a: &b c\nd: *b\n",
        "<<: {a: b}\n",
        "a: !!str b\n",
        "a: !b c\n",
        "a: b\na: c\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "%YAML 1.1\n---\na: b\n",
        "a: b\n--- c\n",
        "a: b\rc: d\n",
        "a: b\u2028c: d\n",
        "a: b\x85c: d\n",
        "\ufeffa: b\n",
        "a: [b\n",
    ],
)
def test_what_readers_may_differ_in(text: str) -> None:
    with pytest.raises(Uncertain):
        read_one(text)


def test_the_spec_of_an_object_is_left_out() -> None:
    head = "apiVersion: a/v1\nkind: B\nmetadata:\n  name: c\n"
    for spec in ("spec: {d: {e: f}}\n", "spec:\n  d: {e: {f: g}}\n", "spec:\n- d: {e: {f: g}}\n"):
        assert [plain_value(item) for item in read_heads(f"{spec}{head}---\n{head}{spec}")] == [
            {"apiVersion": "a/v1", "kind": "B", "metadata": {"name": "c"}}
        ] * 2
    with pytest.raises(Uncertain, match="twice"):
        read_heads(f"spec: {{}}\n{head}spec: {{}}\n")


FILES = sorted(path for part in ("overlays", "base", "generators") for path in (sites.ROOT / part).rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: os.path.relpath(path, sites.ROOT))
def test_what_there_is_needs_no_full_reader(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certain(path, monkeypatch)


def test_what_tutor_writes_needs_no_full_reader(any_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certain(any_site / "kustomization.yml", monkeypatch)


def certain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = path.read_text()
    tree = plain_value(full_reader.read(text))
    monkeypatch.setattr(full_reader, "read", None)
    if path.stem == "kustomization":
        assert plain_value(read_one(text)) == tree
    else:
        tree.pop("spec", None)
        assert [plain_value(item) for item in read_heads(text)] == [tree]
