"""Random settings programs: what is told of one that isn't run is what Python makes of it."""

from __future__ import annotations

import pytest

from kustomizer.openedx.celery.python_values import Opaque, Partial, doubt_in
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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("u", "u |= {os.environ['SECRET']}"),
        ("x", "x = os.environ['SECRET'] is None"),
        ("x", "x = 'a' in [os.environ['SECRET']]"),
        ("i", "if YES:\n    globals().update(i=5)\ni = i"),
        ("x", "if YES:\n    globals().update(i=5)\ndef h():\n    return i\nx = h()"),
        ("l", "if YES:\n    globals().update(i=5)\nl.append(i)"),
        ("i", "exec('s = 5')\ni = 2\nif YES:\n    for t in ['i']:\n        globals()[t] = u"),
        ("i", "def made(f):\n    f()\ntry:\n    @made\n    def h():\n        t += 1\nexcept Exception:\n    i = 7"),
        ("u", "class C:\n    def made(f):\n        f()\n    @made\n    def h():\n        u.add('b')"),
    ],
)
def test_what_random_programs_have_shown(name: str, text: str) -> None:
    value, _, doubt = random_settings.told(f"{random_settings.HEAD}\n{text}").read(name)
    assert doubt is not None or isinstance(doubt_in(value), Opaque)
    assert not isinstance(value, Partial)
