"""Overlays made at random: nobody can tell from a build that the function left off kustomize's ids, or that it ran."""

from __future__ import annotations

import pytest

from tests import sites
from tests.examples import examples
from tests.random_overlays import Outcome, check


@pytest.mark.parametrize("version", [sites.NEWEST, sites.OLDEST])
def test_what_people_write(version: str) -> None:
    outcomes = [check(seed, version) for seed in range(examples(12))]

    assert [outcome for outcome in outcomes if outcome.wrong] == []
    assert sum(outcome.built for outcome in outcomes) >= len(outcomes) // 2


def test_the_same_number_is_the_same_overlay() -> None:
    assert check(3, sites.NEWEST) == check(3, sites.NEWEST) == Outcome(3, built=True, wrong="")
