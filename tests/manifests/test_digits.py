from __future__ import annotations

import pytest

from kustomizer.manifests.digits import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("120", 120), ("9" * 100, int("9" * 100))])
def test_reads_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.5", "1e3", " 1", "1_000", "²", "٣", "9" * 101, "9" * 5000])
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None
