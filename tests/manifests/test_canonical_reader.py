from __future__ import annotations

import pytest

from kustomizer.manifests import canonical_reader, full_reader, tree as trees
from kustomizer.manifests.tree import Scalar, plain_value
from kustomizer.manifests.writer import emit


def read(text: str, indent: int = 0) -> object:
    return canonical_reader.read(text.removesuffix("\n").split("\n"), indent)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b\n", {"a": "b"}),
        ("a:\n  b: c\nd:\n- e\n- f: g\n  h: i\n- - j\n", {"a": {"b": "c"}, "d": ["e", {"f": "g", "h": "i"}, ["j"]]}),
        ("a:\n  - b\n  - c\nd: e\n", {"a": ["b", "c"], "d": "e"}),
        ("a: {}\nb: []\nc:\nd:\n- \n-\n- e\n", {"a": {}, "b": [], "c": None, "d": [None, None, "e"]}),
        ("- a:\n  - b\n  c: d\n-\n  e: f\n", [{"a": ["b"], "c": "d"}, {"e": "f"}]),
        ("\n\na: b\n\nc: d\n\n\n", {"a": "b", "c": "d"}),
        ("'a: b': c\n\"d\\te\": f\n", {"a: b": "c", "d\te": "f"}),
        ("a: http://b:8000/c#d\n", {"a": "http://b:8000/c#d"}),
        ("a: |\n  b\n\n    c\n\nd: |-\n\n  e\nf: |+\n  g\n\nh: |2\n   i\n", {
            "a": "b\n\n  c\n", "d": "\ne", "f": "g\n\n", "h": " i\n",
        }),
        ("- |\n  a\n- |-\n b\n- c: |\n    d\n", ["a\n", "b", {"c": "d\n"}]),
        ("a: |+\n  b\n\n\n", {"a": "b\n\n\n"}),
        ("a: |\n  b\n\n\n", {"a": "b\n"}),
        ("a: |\nb: c\n", {"a": "", "b": "c"}),
        ('a: "\\0\\a\\b\\t\\n\\v\\f\\r\\e\\"\\/\\\\\\N\\_\\L\\P\\x41\\u00e9\\U0001F600"\n', {
            "a": "\0\a\b\t\n\v\f\r\x1b\"/\\\x85\xa0\u2028\u2029A\xe9\U0001f600",
        }),
    ],
)  # fmt: skip
def test_reads_block_yaml(text: str, expected: object) -> None:
    assert plain_value(read(text)) == expected


def test_a_scalar_remembers_how_it_was_written() -> None:
    tree = read("  a: 'b''c'\n  d: 0x1F\n  e:\n  - |\n    f\n     g\n", 2)
    assert isinstance(tree, dict)
    scalars: list[Scalar] = [tree["a"], tree["d"], tree["e"][0]]
    assert [(str(scalar), scalar.raw, scalar.plain) for scalar in scalars] == [
        ("b'c", "'b''c'", False),
        ("0x1F", "0x1F", True),
        ("f\n g\n", "|\n  f\n   g", False),
    ]


def test_the_lines_stay_as_they_were() -> None:
    lines = ["- a: b", "  c: d"]
    canonical_reader.read(lines)
    assert lines == ["- a: b", "  c: d"]


@pytest.mark.parametrize(
    "text",
    [
        # More than kustomize writes, and all YAML:
        "", "\n", " ", "a\n", "'a'\n", "# a\na: b\n", "a: b # c\n", "a: b\n # c\n", "a: {b: c}\n", "a: [b]\n",
        "{a: b}\n", "--- a: b\n", "---\na: b\n", "a: b\n---\nc: d\n", "...\n", "%YAML 1.2\n---\na: b\n",
        "a: &b c\n", "a: *b\n", "a: !!str b\n", "!!map a: b\n", "? a\n: b\n", ": b\n", "<<: a\n", "a : b\n",
        "a: >\n  b\n", "a: | # b\n  c\n", "a:\n  b\n", "a: b\n  c\n",
        'a: "b\\\n  c"\n',
        "a:\tb\n", "a: b\tc\n", "a: b\rc\n", "a: 'b\x85  c'\n", "a: b\u2028  c\n", "-   a: b\n", "a:  b\n",
        "a: |\n     \n  b\n", f"{'a' * 129}: b\n",
        # Not YAML, or nothing that makes a tree:
        "a: b: c\n", "a: b:\n", "a: 'b\n", "a: 'b' c\n", "a: %b\n", "a: @b\n", "a: `b\n", "a: - b\n", "a: ? b\n",
        "a: b\na: c\n", "a: b\n'a': c\n", "a: b\n- c\n", "- a\nb: c\n", "a:\n  b: c\n d: e\n",
        "- a\n b\n", "- a\n  - b\n",
        "a: |3\n  b\n", "a: |0\n  b\n", "a: |--\n  b\n", "a: |22\n  b\n", "a: |\n  \tb\n", "a: |\n    b\n   c\n",
        "a: |\n\tb\n", 'a: "\\z"\n', 'a: "\\x4"\n', 'a: "\\ud800"\n', 'a: "\\UFFFFFFFF"\n', "a: b\n \n", "a: \x07\n",
        "a: \x7f\n", "a: \ufeff\n", "a: \ufffe\n",
    ],
)  # fmt: skip
def test_leaves_the_rest_to_the_full_reader(text: str) -> None:
    with pytest.raises(canonical_reader.NotCanonical):
        read(text)


@pytest.mark.parametrize(
    "text",
    ["- " * 10_000 + "a", "a: " * 10_000, "\n".join(f"{' ' * depth}a:" for depth in range(3_000)), "[" * 10_000],
)
def test_nesting_without_end_is_left_to_the_full_reader(text: str) -> None:
    with pytest.raises(canonical_reader.NotCanonical):
        read(text)


FOLDED = [
    ('a: "one\n  two"\n', "one two"),
    ('a: "one\n  two\n  three"\n', "one two three"),
    ('a: "one\\n\n  two"\n', "one\n two"),
    ('a: "one\n  \\  two"\n', "one   two"),
    ("a: 'it''s\n  one'\n", "it's one"),
    ('a: "\\\\\n  \\"two\\""\n', None),
    ('a: "one \n  two"\n', None),
    ('a: "one\n\n  two"\n', None),
    ('a: "one\ntwo"\n', None),
    ('a: "one\n  two" # said\n', None),
    ('a: "one\n', None),
]


@pytest.mark.parametrize(("text", "value"), FOLDED)
def test_a_quoted_scalar_goes_on_in_the_next_lines(text: str, value: str | None) -> None:
    lines = text.removesuffix("\n").split("\n")
    if value is None:
        with pytest.raises(canonical_reader.NotCanonical):
            canonical_reader.read(lines)
        return
    tree = canonical_reader.read(lines)
    assert plain_value(tree) == {"a": value} == plain_value(full_reader.read(text))
    assert emit(tree) == text


def test_what_is_written_alike_is_one_object() -> None:
    first, second = (read(f"kind: Deployment\nname: {name}\n") for name in "ab")
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert [id(key) for key in first] == [id(key) for key in second]
    assert first["kind"] is second["kind"]


def test_not_all_that_was_read_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical_reader, "_MOST_VALUES", len(canonical_reader._plain_values))
    monkeypatch.setattr(trees, "_MOST_RESOLVED", len(trees._resolved))
    assert plain_value(read("a: 1e3\nb: of-no-other-test\n")) == {"a": 1000.0, "b": "of-no-other-test"}
    assert "of-no-other-test" not in {*canonical_reader._plain_values, *trees._resolved}
