"""The statements of a site's settings, followed without being run: a real Celery that runs them says the same."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from kustomizer.openedx.celery.values import Unknown
from tests.examples import sample
from tests.openedx.celery.settings_cases import KNOWN, UNKNOWN
from tests.openedx.celery.test_view import ATTRIBUTES, agrees, answers, seen, view_of
from tests.openedx.celery.worker_cases import Case, case, value

VARIABLES = {
    "REDIS_HOST": "cache.example.com",
    "REDIS_PASSWORD": "p@ss/w",
    "FLAG": "true",
    "PORT": "6380",
    "NUM": "7200",
}


def site(name: str, settings: str) -> Case:
    env = [value(variable, text) for variable, text in VARIABLES.items()]
    return case(name, settings=settings, env=env, queues="CELERY_QUEUES" not in settings)


CASES = {
    **{name: site(f"case-{number}", settings) for number, (name, settings) in enumerate(KNOWN.items())},
    **{name: site(f"odd-{number}", settings) for number, (name, (settings, _)) in enumerate(UNKNOWN.items())},
}
STARTED = sample(CASES)


@functools.cache
def real() -> dict[str, Any]:
    return answers("", [CASES[name] for name in STARTED])


@pytest.mark.parametrize("name", STARTED)
def test_the_view_says_what_celery_does(name: str) -> None:
    view, answer = view_of(CASES[name]), real()[CASES[name].name]
    assert "error" not in answer, answer["error"]
    values = {each: seen(view, each) for each in ATTRIBUTES}
    assert not {each: (answer[each], found) for each, found in values.items() if not agrees(each, found, answer)}


@pytest.mark.parametrize("name", CASES)
def test_the_view_knows_all_that_can_be_known(name: str) -> None:
    view = view_of(CASES[name])
    values = {each: seen(view, each) for each in ATTRIBUTES}
    # Of a worker without --concurrency nobody knows the node's CPUs.
    unknown = {each for each, found in values.items() if isinstance(found, Unknown) and found.otherwise is None}
    assert unknown - {"concurrency"} == set(UNKNOWN[name][1] if name in UNKNOWN else ())


def test_no_two_have_one_name() -> None:
    assert len(CASES) == len(KNOWN) + len(UNKNOWN)
