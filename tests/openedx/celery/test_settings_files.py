"""The statements of a site's settings, followed without being run: a real Celery that runs them says the same."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.openedx.celery.values import Unknown
from tests.examples import sample
from tests.openedx.celery import plugin_cases, settings_cases
from tests.openedx.celery.test_view import ATTRIBUTES, agrees, answers, seen, view_of
from tests.openedx.celery.worker_cases import Case, case, value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLES = {
    "REDIS_HOST": "cache.example.com",
    "REDIS_PASSWORD": "p@ss/w",
    "FLAG": "true",
    "PORT": "6380",
    "NUM": "7200",
}


def site(name: str, settings: str, modules: Mapping[str, str] | None = None, unknown: Sequence[str] = ()) -> Case:
    env = [value(variable, text) for variable, text in VARIABLES.items()]
    given = case(name, settings=settings, env=env, queues="CELERY_QUEUES" not in settings, unknown=unknown)
    given.objects[1]["data"].update(modules or {})
    return given


KNOWN = {
    **{name: (settings, {}) for name, settings in settings_cases.KNOWN.items()},
    **{name: (settings, {}) for name, settings in plugin_cases.FORMS.items()},
    **{f"beside: {name}": given for name, given in plugin_cases.MODULES.items()},
}
UNKNOWN = {**settings_cases.UNKNOWN, **plugin_cases.DOUBTS}
CASES = {
    **{name: site(f"case-{number}", *given) for number, (name, given) in enumerate(KNOWN.items())},
    **{
        name: site(f"odd-{number}", text, {}, unknown) for number, (name, (text, unknown)) in enumerate(UNKNOWN.items())
    },
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
    unknown = {each for each, found in values.items() if isinstance(found, Unknown) and found.otherwise is None}
    # Of a worker without --concurrency nobody knows the node's CPUs.
    assert unknown - {"concurrency"} == CASES[name].unknown
    # What is said names the line.
    assert all(values[each].source.line for each in unknown - {"concurrency"})


def test_no_two_have_one_name() -> None:
    tables = (
        settings_cases.KNOWN,
        settings_cases.UNKNOWN,
        plugin_cases.FORMS,
        plugin_cases.MODULES,
        plugin_cases.DOUBTS,
    )
    assert len(CASES) == sum(len(table) for table in tables)
