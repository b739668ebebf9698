"""What `make test` tries is all there is; the quick tests take a sample."""

from __future__ import annotations

import pytest

from tests.examples import THOROUGH, examples, sample


def test_only_the_quick_tests_leave_cases_out(pytestconfig: pytest.Config) -> None:
    quick = pytestconfig.getoption("quick")
    assert sample(range(12)) == ([0, 5, 10] if quick else list(range(12)))
    assert examples(THOROUGH) == (THOROUGH // 10 if quick else THOROUGH)
