"""No character of a manifest does anything but being seen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies

from kustomizer.system.visible import harmless, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lms-worker", "lms-worker"),
        ("naïve → 多", "naïve → 多"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x85", "\\x85"),
        ("admin\u202enimda", "admin\\u202enimda"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("lone \ud800", "lone \\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("end  ", "end\\x20\\x20"),
        ("", ""),
        ("  ", "\\x20\\x20"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(strategies.text(strategies.characters(exclude_categories=())))
def test_whatever_comes_in_is_seen(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert shown == shown.rstrip()
    assert not {unicodedata.bidirectional(char) for char in shown} & {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "PDI"}
    shown.encode()


def test_lines_are_those_of_a_newline_alone() -> None:
    assert visible_lines("a\nb\x0bc\n") == ["a", "b\\x0bc"]
    assert visible_lines("a\n\n") == ["a", ""]
    assert visible_lines("") == []


def test_what_a_program_says_is_no_command() -> None:
    said = "a\x1b[2Jb\n  ::error file=a::b\n::set-output name=a::b\nc ##[set-output name=a]b\nd :: e\n"
    assert harmless(said) == (
        "a\\x1b[2Jb\n  \\x3a:error file=a::b\n\\x3a:set-output name=a::b\nc #\\x23[set-output name=a]b\nd :: e\n"
    )
