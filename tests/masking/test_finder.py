"""Many strings found at once are the same as each found for itself."""

from __future__ import annotations

import pytest

from kustomizer.masking.values import Finder


@pytest.mark.parametrize("others", [0, 1000])
def test_where_strings_stand(others: int) -> None:
    finder = Finder(["password1", "password12", "short", "secret-of-ours", *(f"other-{n:05d}" for n in range(others))])
    text = "a password12, short; secret-of-ours\nsecret-of-ours"
    assert sorted({text[start:end] for start, end in finder.spans(text)}) == [
        "password1",
        "password12",
        "secret-of-ours",
    ]
    assert len(list(finder.spans(text))) == 4
    assert list(finder.spans("passwor")) == []
