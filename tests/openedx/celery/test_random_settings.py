"""Random settings programs: what is told of one that isn't run is what Python makes of it."""

from __future__ import annotations

from kustomizer.openedx.celery.python_values import doubt_in
from tests.examples import examples
from tests.openedx.celery import random_settings


def test_what_is_told_of_a_random_program_is_what_python_makes_of_it() -> None:
    found = [text for text in map(random_settings.wrong, range(examples(2000))) if text]
    assert not found, "\n".join(found)


def test_most_of_what_they_set_is_told() -> None:
    values = [value for seed in range(40) for value in random_settings.told_of(seed)]
    known = [value for value, _, doubt in values if doubt is None and doubt_in(value) is None]
    assert len(known) > len(values) * 0.6


def test_texts_with_a_secret_in_them_are_told_in_part() -> None:
    values = [value for seed in range(200) for value, _, doubt in random_settings.told_of(seed) if doubt is None]
    assert len([value for value in values if random_settings.put_together(value) is not value]) > 5
