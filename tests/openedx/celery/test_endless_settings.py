"""Settings that would take long, or much memory: they aren't known, and that is soon said."""

from __future__ import annotations

import time

import pytest

from kustomizer.openedx.celery.values import Unknown
from tests.openedx.celery.test_view import view_of
from tests.openedx.celery.worker_cases import case

LONG = "for _a in range(900):\n    "


@pytest.mark.parametrize(
    "settings",
    [
        "while True:\n    CELERY_DEFAULT_PRIORITY = 1\n",
        f"{LONG}for _b in range(900):\n        for _c in range(900):\n            CELERY_DEFAULT_PRIORITY = _c\n",
        f"CELERY_DEFAULT_PRIORITY = 3\n{LONG}CELERY_DEFAULT_PRIORITY *= CELERY_DEFAULT_PRIORITY\n",
        f"_x = [3]\n{LONG}_x = _x + _x\nCELERY_DEFAULT_PRIORITY = _x\n",
        f"CELERY_DEFAULT_PRIORITY = 3\n{LONG}CELERY_DEFAULT_PRIORITY = CELERY_DEFAULT_PRIORITY << 64\n",
        "def _f(n):\n    return n if n < 2 else _f(n - 1) + _f(n - 1) + _f(n - 1)\nCELERY_DEFAULT_PRIORITY = _f(19)\n",
        "def _f(n):\n    return _f(n)\nCELERY_DEFAULT_PRIORITY = _f(1)\n",
        "CELERY_DEFAULT_PRIORITY = f'{1:99999999999}'\n",
        "CELERY_DEFAULT_PRIORITY = '%(n)999999999d' % {'n': 1}\n",
        "CELERY_DEFAULT_PRIORITY = '{:{}}'.format(1, 999999999)\n",
        "CELERY_DEFAULT_PRIORITY = 'x' * 999999999\n",
        "CELERY_DEFAULT_PRIORITY = 9 ** 9 ** 9\n",
        f"import json\nCELERY_DEFAULT_PRIORITY = json.loads('{'[' * 100_000}')\n",
    ],
)
def test_what_takes_long_is_not_known(settings: str) -> None:
    start = time.process_time()
    priority = view_of(case("long", settings=settings)).default_priority
    assert isinstance(priority, Unknown)
    assert time.process_time() - start < 10


@pytest.mark.parametrize("statement", ["break", "continue", "if CELERY_NAME:\n    break"])
def test_a_loops_statement_outside_a_loop_is_no_python(statement: str) -> None:
    priority = view_of(case("outside", settings=f"CELERY_DEFAULT_PRIORITY = 3\n{statement}\n")).default_priority
    assert isinstance(priority, Unknown)
    assert priority.reason == "the file can't be read as Python"
