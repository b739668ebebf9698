from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import example, given, settings, strategies as st

from kustomizer.errors import UserError
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from tests.examples import examples

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 20)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, 2.5, true, null, "b\\u00e9\\n", {}], "c": {"d": []}}', {
            "a": [1, 2.5, True, None, "b\xe9\n", {}], "c": {"d": []},
        }),
        ("# a\na: {b: [c, 'd']} # e\n# f\n", {"a": {"b": ["c", "d"]}}),
        ("\ufeffa: b\n", {"a": "b"}),
        ("%YAML 1.1\n---\na: b\n...\n", {"a": "b"}),
        ("? a\n: b\n? |\n  c\n: d\n", {"a": "b", "c\n": "d"}),
        ("a: >\n  b\n  c\n\n  d\n", {"a": "b c\nd\n"}),
        ("a: b\n  c\n", {"a": "b c"}),
        ("a: 'b\n\n  c'\n", {"a": "b\nc"}),
        ('a: "b\\\n  c"\n', {"a": "bc"}),
        ("a: &b {c: d}\ne: *b\nf: [*b, &g h, *g]\n", {"a": {"c": "d"}, "e": {"c": "d"}, "f": [{"c": "d"}, "h", "h"]}),
        ("a: &b c\nd: &b e\nf: *b\n", {"a": "c", "d": "e", "f": "e"}),
        ("a: &b {c: 1, d: 2}\ne: {<<: *b, d: 3}\n", {"a": {"c": 1, "d": 2}, "e": {"c": 1, "d": 3}}),
        ("a: &b {c: 1}\ne: {<<: [*b, {c: 2, d: 3}]}\n", {"a": {"c": 1}, "e": {"c": 1, "d": 3}}),
        ("a: &b {c: 1}\n!!merge <<: *b\n", {"a": {"c": 1}, "c": 1}),
        ("'<<': a\nb: <<\nc: !!merge <<\n", {"<<": "a", "b": "<<", "c": "<<"}),
        ("a: =\nb: yes\nc: 2001-01-01\nd: 012\ne: 0x1F\n", {"a": "=", "b": "yes", "c": "2001-01-01", "d": 10, "e": 31}),
        ("a: !!str 12\nb: ! 12\nc: !!int '12'\nd: !!float 1\ne: !!bool \"true\"\nf: !!null ''\ng: !!str\n", {
            "a": "12", "b": "12", "c": 12, "d": 1, "e": True, "f": None, "g": "",
        }),
        ("a: !!map {b: !!seq [c]}\n", {"a": {"b": ["c"]}}),
        ("1: a\ntrue: b\n~: c\n", {"1": "a", "true": "b", "~": "c"}),
        ("a: '1\u2028  2'\nb: 1\u2028  2\n", {"a": "1\u20282", "b": "1\u20282"}),
        ("a: 1\x85b: 2\rc: 3\r\nd: 4\n", {"a": 1, "b": 2, "c": 3, "d": 4}),
    ],
)  # fmt: skip
def test_reads_any_yaml_as_kustomize_does(text: str, expected: object) -> None:
    tree = full_reader.read(text)
    assert plain_value(tree) == expected
    assert plain_value(full_reader.read(emit(tree))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# a\n", []),
        ("---\n", [None]),
        ("---\n---\na: b\n", [None, {"a": "b"}]),
        ("a: b\n---\n# c\n---\n- d\n...\n", [{"a": "b"}, None, ["d"]]),
        ("--- a\n--- null\n", ["a", None]),
    ],
)
def test_documents(text: str, expected: list[object]) -> None:
    assert [plain_value(tree) for tree in full_reader.read_all(text)] == expected


def test_an_alias_is_a_copy() -> None:
    tree = full_reader.read("a: &b {c: d}\ne: *b\n")
    tree["e"]["c"] = "changed"
    assert tree["a"] == {"c": "d"}


def test_one_document_is_expected() -> None:
    assert full_reader.read("") is None
    with pytest.raises(UserError, match="expected one YAML document, found 2"):
        full_reader.read("a: b\n---\nc: d\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 'hunter2\n", "found unexpected end of stream in line 2, column 1"),
        ("a: hunter2: b\n", "mapping values are not allowed in this context in line 1"),
        ("a: [hunter2}\n", "did not find expected ',' or ']' in line 1"),
        ("a: hunter2\x07\n", "control characters are not allowed (character 10)"),
        ("a: \0hunter2\n", "control characters are not allowed"),
        ('a: "hunter2\\ud800"\n', "found invalid Unicode character escape code in line 1"),
        ("a: hunter2\nb: c\na: hunter2\n", "the key 'a' stands there twice (line 3)"),
        ("a: hunter2\n'a': b\n", "the key 'a' stands there twice (line 2)"),
        ("[hunter2]: b\n", "a key is not a scalar (line 1)"),
        ("a: *hunter2\n", "an alias has no anchor before it (line 1)"),
        ("a: *b\nc: &b hunter2\n", "an alias has no anchor before it (line 1)"),
        ("a: &b\n- hunter2\n- *b\n", "an alias is a part of what it stands for (line 3)"),
        ("a: b\n<<: hunter2\n", "the merge key '<<' takes mappings (line 2)"),
        ("a: !!binary aHVudGVyMg==\n", "a value has a tag that Kubernetes doesn't know (line 1)"),
        ("a: !hunter2 b\n", "a value has a tag that Kubernetes doesn't know (line 1)"),
        ("a: !!set {hunter2}\n", "a collection has a tag that Kubernetes doesn't know (line 1)"),
        ("a: !!int hunter2\n", "a value isn't what its tag !!int says (line 1)"),
        ("a: !b!c hunter2\n", "found undefined tag handle in line 1"),
    ],
)
def test_says_what_is_wrong_and_quotes_no_value(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        full_reader.read(text)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "aliases expand to more than 4,000,000 characters"),
        (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 100_000)}]\n", "aliases expand"),
        (f"a: &a {{{', '.join(f'k{i}: v' for i in range(1000))}}}\nb: [{'{<<: *a}, ' * 9000}]\n", "aliases expand"),
        ("a: " + "[" * 1_000_000, "collections nest deeper than 150 levels"),
        ("{a: " * 1_000_000, "collections nest deeper"),
        ("- " * 1_000_000, "collections nest deeper"),
        ("? " * 1_000_000, "collections nest deeper"),
        ("\n".join(f"{' ' * depth}a:" for depth in range(3_000)), "collections nest deeper"),
    ],
    ids=["laughs", "long text", "merges", "brackets", "braces", "dashes", "question marks", "indents"],
)
def test_what_expands_or_nests_without_end_is_refused_at_once(text: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(UserError, match=message):
        full_reader.read(text)
    assert time.process_time() - start < 2


def test_a_hundred_levels_are_read_and_written() -> None:
    text = "[" * 100 + "a" + "]" * 100
    assert plain_value(full_reader.read(emit(full_reader.read(text)))) == plain_value(full_reader.read(text))


def test_libyaml_is_there_where_tests_run() -> None:
    """Without it the function works, ten times slower."""
    assert full_reader._Loader.__name__ == "CSafeLoader"


@pytest.mark.parametrize("text", ["a: {b: [c, 'd']} # e\n", "a: &b =\nc: *b\n", "[" * 1_000, "a: \0\n", "a: 'b\n"])
def test_pure_python_reads_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome() -> object:
        try:
            return plain_value(full_reader.read(text))
        except UserError as error:
            return str(error)[:10]

    with_libyaml = outcome()
    monkeypatch.setattr(full_reader, "_Loader", yaml.SafeLoader)
    assert outcome() == with_libyaml


@example("[-]")
@example("{? a: -}")
@given(st.text(max_size=30) | st.text("ab:-[]{}&*!|>'\"#%,? \n\t~<.\\", max_size=40))
@settings(max_examples=examples(1000))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        trees = full_reader.read_all(text)
    except UserError as error:
        assert str(error)
        return
    for tree in trees:
        if isinstance(tree, (dict, list)):
            assert plain_value(full_reader.read(emit(tree))) == plain_value(tree)
