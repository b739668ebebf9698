"""Texts are compared line by line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from kustomizer.diff.changes.texts import common, text_change
from tests.diff.apply import applied_text

if TYPE_CHECKING:
    from kustomizer.diff.model import TextChange

TEXTS = st.lists(st.sampled_from(("a", "b", "}", "", " x")), max_size=25).map("\n".join)


def change(before: str, after: str) -> TextChange:
    return text_change(("data", "a"), before, after, lambda old, new: (old, new))


def lines(before: str, after: str) -> list[list[str]]:
    return [list(hunk.lines) for hunk in change(before, after).hunks]


@given(TEXTS, TEXTS)
def test_the_hunks_make_one_text_into_the_other(before: str, after: str) -> None:
    assert applied_text(before, change(before, after)) == after


@given(TEXTS, TEXTS)
def test_a_hunk_begins_and_ends_with_what_differs_but_for_three_lines(before: str, after: str) -> None:
    for hunk in change(before, after).hunks:
        signs = "".join(line[0] for line in hunk.lines)
        assert 0 < len(signs.strip()) <= len(signs)
        assert len(signs) - len(signs.lstrip()) <= 3
        assert len(signs) - len(signs.rstrip()) <= 3
        assert " " * 7 not in signs.strip()


def test_lines_that_moved_apart_are_two_hunks() -> None:
    before = "".join(f"{number}\n" for number in range(30))
    after = before.replace("5\n", "five\n", 1).replace("25\n", "twenty\n")
    assert lines(before, after) == [
        [" 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"],
        [" 22", " 23", " 24", "-25", "+twenty", " 26", " 27", " 28"],
    ]
    first, second = change(before, after).hunks
    assert (first.before, first.after, second.before, second.after) == (3, 3, 23, 23)


@pytest.mark.parametrize(("between", "hunks"), [(5, 1), (6, 1), (7, 2)])
def test_hunks_whose_neighbours_meet_are_one(between: int, hunks: int) -> None:
    same = "".join(f"{number}\n" for number in range(between))
    assert len(lines(f"a\n{same}b\n", f"c\n{same}d\n")) == hunks


def test_a_newline_at_the_end() -> None:
    found = change("a\nb", "a\nb\n")
    assert (found.newline_at_end, found.hunks) == ((False, True), ())
    assert change("a\nb\n", "a\nb\nc\n").newline_at_end == (True, True)


def test_an_empty_text() -> None:
    assert lines("", "a\nb\n") == [["+a", "+b"]]
    assert lines("a\nb\n", "") == [["-a", "-b"]]


def test_unique_lines_hold_functions_together() -> None:
    before = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    after = "def one():\n    return 1\n\n\ndef half():\n    return 1\n\n\ndef two():\n    return 2\n"
    (found,) = lines(before, after)
    assert [line for line in found if line[0] != " "] == ["+def half():", "+    return 1", "+", "+"]


def test_no_more_lines_differ_than_have_to() -> None:
    before = "a\nx\nb\nx\nc\n"
    after = "a\nx\nc\nx\nb\n"
    (found,) = lines(before, after)
    expected = sum(
        line[0] in "+-" and line[:3] not in ("+++", "---")
        for line in difflib.unified_diff(before.split("\n"), after.split("\n"))
    )
    assert sum(line[0] != " " for line in found) <= expected


# A dashboard: a hundred thousand lines, none of which is the only one of its kind.
DASHBOARD = "".join(f"{{\n  id: {number % 50}\n}},\n" for number in range(33_000))


def test_few_lines_of_a_large_text_in_which_every_line_is_repeated() -> None:
    after = DASHBOARD.replace("id: 7\n", "id: 8\n", 9).replace("  id: 9\n", "", 9)
    found = change(DASHBOARD, after)
    assert applied_text(DASHBOARD, found) == after
    assert sum(line[0] != " " for hunk in found.hunks for line in hunk.lines) == 3 * 9


def test_many_lines_of_such_a_text() -> None:
    after = DASHBOARD.replace("id: 7\n", "id: 8\n").replace("  id: 9\n", "")
    assert applied_text(DASHBOARD, change(DASHBOARD, after)) == after


@given(TEXTS, TEXTS)
def test_as_many_lines_stay_as_can_be(before: str, after: str) -> None:
    older, newer = before.split("\n"), after.split("\n")
    kept = common(older, newer)
    assert [older[place] for place, _ in kept] == [newer[place] for _, place in kept]
    for places in zip(*kept, strict=True):
        assert list(places) == sorted(set(places))
    assert len(older) + len(newer) - 2 * len(kept) == distance(older, newer)


def test_every_second_line_of_ten_thousand() -> None:
    before = "".join(f"{number}\n" for number in range(10_000))
    after = "".join(f"{number}{'x' * (number % 2)}\n" for number in range(10_000))
    found = change(before, after)
    assert applied_text(before, found) == after
    assert sum(line[0] != " " for hunk in found.hunks for line in hunk.lines) == 10_000


def test_another_text_is_shown_whole() -> None:
    before = "".join(f"{number}\n" for number in range(2_000))
    after = "".join(f"{number}\n" for number in reversed(range(2_000)))
    assert applied_text(before, change(before, after)) == after


def distance(before: list[str], after: list[str]) -> int:
    """Return how many lines have to go and to come, by the textbook."""
    row = list(range(len(after) + 1))
    for count, line in enumerate(before, 1):
        previous, row = row, [count]
        for place, other in enumerate(after):
            row.append(previous[place] if line == other else 1 + min(previous[place + 1], row[place]))
    return row[-1]
