"""Tables keep their words whole while there is room for them."""

from __future__ import annotations

import pytest

from kustomizer.system.folding import text_table

LINES = [("app", "queue", "pods"), ("lms", "edx.lms.core.high_mem", "1, fixed")]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, ["app  queue                  pods", "lms  edx.lms.core.high_mem  1, fixed"]),
        (36, ["app  queue                  pods", "lms  edx.lms.core.high_mem  1, fixed"]),
        (
            33,
            ["app  queue                  pods", "lms  edx.lms.core.high_mem  1,", "                            fixed"],
        ),
        (32, ["app queue                 pods", "lms edx.lms.core.high_mem 1,", "                          fixed"]),
        (31, ["app queue                 pods", "lms edx.lms.core.high_mem 1,", "                          fixed"]),
        (30, ["app queue                pods", "lms edx.lms.core.high_me 1,", "    m                    fixed"]),
    ],
)
def test_the_gaps_go_before_a_word_is_broken(width: int, expected: list[str]) -> None:
    assert text_table(LINES, width).splitlines() == expected
