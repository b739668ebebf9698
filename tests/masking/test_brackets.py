"""The strings in brackets, each found once."""

from __future__ import annotations

import pytest

from kustomizer.masking.brackets import WINDOW, Brackets


def strings(text: str, *openings: int) -> list[list[str]]:
    """Return the strings that each bracket adds, the brackets given by their numbers in the text."""
    brackets = Brackets(text)
    places = [index + 1 for index, letter in enumerate(text) if letter in "[({"]
    return [[text[start:end] for start, end in brackets.strings(places[opening])] for opening in openings]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("""['a', "b"], 'c'""", ["a", "b"]),
        ("""{"key": "value", 'other' : ('x', ['y'])} 'z'""", ["value", "x", "y"]),
        (r"""["a\"b", 'c\'d']""", [r"a\"b", r"c\'d"]),
        (r"""[\"a\", \\'b\\']""", ["a", "b"]),
        ("['a'", ["a"]),
    ],
)
def test_the_strings_of_a_bracket(text: str, found: list[str]) -> None:
    assert strings(text, 0) == [found]


def test_a_bracket_within_another_one_adds_nothing() -> None:
    assert strings("""['a', ['b'], 'c']""", 0, 1) == [["a", "b", "c"], []]


def test_a_bracket_behind_the_first_is_read() -> None:
    assert strings("""['a'] ['b']""", 0, 1) == [["a"], ["b"]]


def test_a_bracket_in_a_string_is_read_for_itself() -> None:
    assert strings("""['x=["a"]'] """, 0, 1) == [['x=["a"]'], ["a"]]


def test_the_last_bracket_that_the_first_ones_window_holds_is_read_to_its_own_end() -> None:
    text = "[" + " " * (WINDOW - 10) + "['a', 'b', 'c', 'd']"
    first, second = strings(text, 0, 1)
    assert [*first, *second] == ["a", "b", "c", "d"]
    assert second
