"""refused-build: a site that can be looked at was built; tests/commands/test_check.py has those that weren't."""

from __future__ import annotations

from tests.rules.small_site import finder, split_site


def test_nothing_is_found_in_what_was_built() -> None:
    assert finder("refused-build")(*split_site()) == []
