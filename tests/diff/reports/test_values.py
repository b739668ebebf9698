"""Values for people."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.diff.reports.fields import is_one_line, lines, one_line
from kustomizer.masking.marks import CHANGED_SECRET, SECRET


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        ("1", '"1"'),
        ("1e3", '"1e3"'),
        ("0x1F", '"0x1F"'),
        ("1_000", '"1_000"'),
        ("22.0.3", "22.0.3"),
        ("-.inf", '"-.inf"'),
        (float("inf"), ".inf"),
        (True, "true"),
        ("true", '"true"'),
        ("on", '"on"'),
        (None, "null"),
        ("", '""'),
        ({}, "{}"),
        ([], "[]"),
        ("[]", '"[]"'),
        ("overhangio/openedx:22.0.3", "overhangio/openedx:22.0.3"),
        ("two words", "two words"),
        (SECRET, SECRET),
        ("blank ", '"blank\\x20"'),
    ],
)
def test_a_value_in_a_line_tells_its_type(value: Any, shown: str) -> None:
    assert is_one_line(value)
    assert one_line(value) == shown
    assert lines(value) == [shown]


def test_a_collection_is_yaml_with_masks_as_they_stand_elsewhere() -> None:
    value = {"data": {"password": SECRET, "new": CHANGED_SECRET, "text": "a\nb\n"}, "list": ["1", {"a": "\u202e"}]}
    assert lines(value) == [
        "data:",
        "  password: (secret)",
        "  new: (secret, changed)",
        "  text: |",
        "    a",
        "    b",
        "list:",
        "- '1'",
        "- a: '\\u202e'",
    ]


def test_a_text_of_lines_is_its_lines() -> None:
    assert lines("a\n\tb\n") == ["a", "\\tb"]
