"""Text is folded between words, and commands stay whole."""

from __future__ import annotations

from kustomizer.system.folding import fold, fold_lines


def test_a_word_stays_whole() -> None:
    assert fold("the worker lms-worker-high-mem of edx.lms.core.high_mem", 20) == [
        "the worker",
        "  lms-worker-high-mem",
        "  of",
        "  edx.lms.core.high_mem",
    ]


def test_a_command_stays_on_a_line() -> None:
    assert fold("run it: `tutor-kustomizer init --refresh` first", 30, "  ") == [
        "  run it:",
        "    `tutor-kustomizer init --refresh`",
        "    first",
    ]


def test_lines_that_fit_stay_as_they_are() -> None:
    assert fold_lines("a:\n\tb: 1   2\n\nmore than ten\n", 10) == "a:\n\tb: 1   2\n\nmore than\n  ten\n"
