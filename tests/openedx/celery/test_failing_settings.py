"""Settings that fail: the worker doesn't start, and nothing is said of what would come after."""

from __future__ import annotations

import pytest

from kustomizer.openedx.celery.values import Known, Unknown
from tests.openedx.celery.test_view import view_of
from tests.openedx.celery.worker_cases import case


@pytest.mark.parametrize(
    "statement",
    [
        "raise ValueError('no')",
        "assert 1 > 2",
        "NUMBER = int('x')",
        "NUMBER = [1][7]",
        "NUMBER = BROKER_TRANSPORT_OPTIONS['none']",
        "NUMBER = None['a']",
        "NUMBER = None.get('a')",
        "NUMBER = BROKER_URL()",
        "NUMBER, OTHER = 1, 2, 3",
        "NUMBER, OTHER = None",
        "for NUMBER in 3:\n    pass",
        "BROKER_TRANSPORT_OPTIONS[[]] = 1",
        "BROKER_URL['a'] = 1",
        "del BROKER_TRANSPORT_OPTIONS['none']",
        "def fail():\n    raise ValueError\nfail()",
        "try:\n    pass\nfinally:\n    NUMBER = 1 // 0",
        "if True:\n    for _ in [1]:\n        raise ValueError",
        "from .more import NONE",
        "from .fails import *",
    ],
)
def test_nothing_is_known_once_they_have_failed(statement: str) -> None:
    settings = f"CELERY_ACKS_LATE = True\n{statement}\nCELERY_DEFAULT_PRIORITY = 3\n"
    given = case("fails", settings=settings)
    given.objects[1]["data"] |= {"more.py": "A = 1\n", "fails.py": "raise ValueError\n"}
    priority = view_of(given).default_priority
    assert isinstance(priority, Unknown)
    assert priority.reason.startswith("the settings fail: ")


@pytest.mark.parametrize(
    "statement",
    [
        "try:\n    raise ValueError\nexcept ValueError:\n    pass",
        "try:\n    NUMBER = {}['a']\nexcept KeyError:\n    pass",
        "try:\n    BROKER_TRANSPORT_OPTIONS[[]] = 1\nexcept TypeError:\n    pass",
        "def fail():\n    raise ValueError",
        "try:\n    from .fails import *\nexcept ValueError:\n    pass",
        "NUMBER = sorted(['b', 'a'], key=len)",
        "NUMBER = dict(zip('ab', [1, 2], strict=True))",
        "NUMBER = list(enumerate('ab', start=1))",
        "NUMBER = json.loads('1', strict=False)",
        "NUMBER = (1 // 0 for _ in [1])",
        "NUMBER = max(['a'], key=len), int('7', base=8), sum([1], start=2), min([], default=3)",
        "NUMBER = dict[str, int]",
        "with open(os.environ['LMS_CFG']):\n    pass",
    ],
)
def test_what_is_handled_is_no_failure(statement: str) -> None:
    given = case("fails", settings=f"{statement}\nCELERY_DEFAULT_PRIORITY = 3\n")
    given.objects[1]["data"]["fails.py"] = "raise ValueError\n"
    priority = view_of(given).default_priority
    assert isinstance(priority, Known)
    assert priority.value == 3


def test_a_function_of_python_that_is_replaced_ends_it() -> None:
    priority = view_of(case("replaced", settings="os.getenv = len\nCELERY_DEFAULT_PRIORITY = 3\n")).default_priority
    assert isinstance(priority, Unknown)
    assert priority.reason == "os.getenv is another one"
