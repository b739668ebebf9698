"""YAML as kustomize writes it: how it spelled given strings, seen on 5.8.1 and 5.2.1, and strategies for more."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kustomizer.manifests.tree import Scalar

# A value of a ConfigMap's data, and how kustomize wrote it for a function; further lines are relative to the key.
# fmt: off
SPELLINGS = (
    ('', '""'),
    (' ', "' '"),
    ('a ', "'a '"),
    (' a', "' a'"),
    ('\t', '"\\t"'),
    ('a\tb', '"a\\tb"'),
    ('\n', '|2+\n'),
    ('\n\n', '|2+\n\n'),
    (' \n', '" \\n"'),
    ('\n ', '"\\n "'),
    ('a\n', '|\n  a'),
    ('a\n\n', '|+\n  a\n'),
    ('a\n\n\n', '|+\n  a\n\n'),
    ('\na', '|2-\n\n  a'),
    ('\n\na\n', '|2\n\n\n  a'),
    (' a\n b\n', '|2\n   a\n   b'),
    ('  a\nb\n', '|2\n    a\n  b'),
    ('a\n  b\n', '|\n  a\n    b'),
    ('a\n\n  b\n\nc\n', '|\n  a\n\n    b\n\n  c'),
    ('\n  a\nb', '|2-\n\n    a\n  b'),
    ('a \nb\n', '"a \\nb\\n"'),
    ('a\nb ', '"a\\nb "'),
    ('a\n \nb\n', '"a\\n \\nb\\n"'),
    ('\ta\nb\n', '"\\ta\\nb\\n"'),
    ('a\n\tb\n', '"a\\n\\tb\\n"'),
    ('# comment\na\n', '|\n  # comment\n  a'),
    ('a\n---\nb\n', '|\n  a\n  ---\n  b'),
    ('- a\n- b\n', '|\n  - a\n  - b'),
    ('key: value\nother: x\n', '|\n  key: value\n  other: x'),
    ('a\nfunctionConfig:\n', '|\n  a\n  functionConfig:'),
    ('trailing   \n', '"trailing   \\n"'),
    ('x\n  \n', '"x\\n  \\n"'),
    ('\xe9', '\xe9'),
    ('\xfcn\xef\ncode\n', '|\n  \xfcn\xef\n  code'),
    ('\U0001f600', '"\\U0001F600"'),
    ('a\U0001f600\nb\n', '"a\\U0001F600\\nb\\n"'),
    ('=', '='),
    ('~', '"~"'),
    ('null', '"null"'),
    ('yes', '"yes"'),
    ('on', '"on"'),
    ('n', '"n"'),
    ('true', '"true"'),
    ('tRue', 'tRue'),
    ('0x1F', '"0x1F"'),
    ('1e3', '"1e3"'),
    ('012', '"012"'),
    ('0o12', '"0o12"'),
    ('0b101', '"0b101"'),
    ('1_000', '"1_000"'),
    ('_1', '_1'),
    ('-1', '"-1"'),
    ('--', '--'),
    ('-', "'-'"),
    ('---', "'---'"),
    ('...', "'...'"),
    ('--- a', "'--- a'"),
    ('-a', '-a'),
    ('- a', "'- a'"),
    ('.inf', '".inf"'),
    ('inf', 'inf'),
    ('1:30', '"1:30"'),
    ('2001-01-01', '"2001-01-01"'),
    ('1e400', '1e400'),
    ('0x', '0x'),
    ('10Mi', '10Mi'),
    ('100m', '100m'),
    ('1.2.3', '1.2.3'),
    ('.e1', '.e1'),
    ('a: b', "'a: b'"),
    ('a:b', 'a:b'),
    ('a:', "'a:'"),
    (':a', ':a'),
    (':', "':'"),
    ('a #b', "'a #b'"),
    ('a#b', 'a#b'),
    ('#a', "'#a'"),
    ('!a', "'!a'"),
    ('&a', "'&a'"),
    ('*a', "'*a'"),
    ('|', "'|'"),
    ('>-', "'>-'"),
    ('%a', "'%a'"),
    ('@a', "'@a'"),
    ('`a', "'`a'"),
    ('[a', "'[a'"),
    ('{}', "'{}'"),
    ('a, b', 'a, b'),
    ('?', "'?'"),
    ('? a', "'? a'"),
    ('?a', '?a'),
    ("'", "''''"),
    ('"', '\'"\''),
    ("'a'", "'''a'''"),
    ("a'b", "a'b"),
    ('a"b', 'a"b'),
    ("it's", "it's"),
    ('\\', '\\'),
    ('a\\nb', 'a\\nb'),
    ('\\x2d', '\\x2d'),
    ('\r', '"\\r"'),
    ('a\r\nb', '"a\\r\\nb"'),
    ('\x00', '"\\0"'),
    ('\x01', '"\\x01"'),
    ('\x07', '"\\a"'),
    ('\x1b', '"\\e"'),
    ('\xa0', '\xa0'),
    ('\ufeff', '"\\uFEFF"'),
    ('\ufeffa', '"\\uFEFF\\x61"'),
    ('a\ufeffb\n', '"a\\uFEFFb\\n"'),
    ('\ufffd', '\ufffd'),
    ('\u200b', '\u200b'),
    ("a" * 200, "a" * 200),
    ("a b " * 60, "'" + "a b " * 60 + "'"),
)
# fmt: on
"""What the fast reader has to read, and our emitter to write again byte for byte."""

ODD_SPELLINGS = (
    # A go-yaml tag for what would be a merge key.
    ("<<", "!!merge <<"),
    # Line breaks to YAML 1.1: kustomize indents what follows, and its reader takes the indentation off again.
    ("\u2028", "'\u2028'"),
    ("a\u2028b", "'a\u2028  b'"),
    ("a\nb\u2029c\n", "|\n  a\n  b\u2029  c"),
    ("\\\u2028:", "'\\\u2028  :'"),
)
"""What only the full reader reads."""

INTERESTING = (
    *(text for text, _ in (*SPELLINGS, *ODD_SPELLINGS)),
    *("\x85", "a\x85b", "\U0010ffff", "\x7f", "a\n\n "),
)


def letters() -> st.SearchStrategy[str]:
    """Characters that mean something to a YAML reader, and any other that UTF-8 can hold."""
    meaning = st.sampled_from("ab1-:#'\"\\ \t\n,[]{}&*!|>%@`=~<?.+_0x\r\x85\u2028\xa0\ufeff\x00\U0001f600")
    return meaning | st.characters(exclude_categories=["Cs"])


def texts() -> st.SearchStrategy[str]:
    """Strings that are hard to write and to read back."""
    lines = st.lists(st.sampled_from(["", "a", " b", "  c", "- d", "e: f", "# g", "---", "h "]), max_size=6)
    return st.sampled_from(INTERESTING) | st.text(letters(), max_size=20) | lines.map("\n".join) | st.just("k" * 1500)


def plain_trees() -> st.SearchStrategy[Any]:
    """Return trees as the function builds them: plain Python values."""
    numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    return _collections(st.none() | st.booleans() | numbers | texts(), texts())


def kustomize_trees() -> st.SearchStrategy[Any]:
    """Return trees whose scalars are spelled as kustomize spells them."""
    quoted = st.sampled_from(SPELLINGS).map(lambda pair: spelled(*pair))
    typed = st.sampled_from(["null", "true", "false", "0", "-12", "1.5", "1e+21", "12345678901234567890"])
    scalars = quoted | typed.map(lambda token: Scalar(token, token, plain=True))
    keys = st.sampled_from([pair for pair in SPELLINGS if "\n" not in pair[0] + pair[1] and 0 < len(pair[0]) < 128])
    return _collections(scalars, keys.map(lambda pair: spelled(*pair)))


def spelled(text: str, raw: str) -> Scalar:
    """Return the scalar that kustomize wrote as ``raw``."""
    return Scalar(text, raw, plain=raw[0] not in "\"'|")


def _collections(scalars: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    def deeper(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(nodes, max_size=4) | st.dictionaries(keys, nodes, max_size=4)

    return st.dictionaries(keys, st.recursive(scalars, deeper, max_leaves=12), min_size=1, max_size=4)
