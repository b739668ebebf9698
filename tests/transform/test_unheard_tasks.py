"""Settings by which tasks never get to a worker, or have a worker end when it starts, are said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keda_site import SETTINGS, built, env_file, site, worked

SPLIT = "{workers: {lms: {high: {}, high_mem: {}, %s}}%s}"
NO_OTHERS = f"{SETTINGS}CELERY_CREATE_MISSING_QUEUES = False\n"
COMPUTED = "import os\nCELERY_ALWAYS_EAGER = os.urandom(1) > b'x'\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"settings": f"{SETTINGS}CELERY_ALWAYS_EAGER = True\n"}, "CELERY_ALWAYS_EAGER is set: lms runs its tasks in"),
        ({"lms_env": env_file(CELERY_ALWAYS_EAGER="true")}, "lms.env.yml"),
        # As Python has it.
        ({"lms_env": env_file(CELERY_ALWAYS_EAGER='"false"')}, "CELERY_ALWAYS_EAGER is set"),
        ({"settings": f"{SETTINGS}{COMPUTED}"}, "whether lms runs its tasks in its own processes"),
        ({"lms_env": env_file(CELERY_ALWAYS_EAGER="false")}, ""),
        ({"settings": f"{SETTINGS}CELERY_TASK_ALWAYS_EAGER = True\n"}, ""),
        ({"cms_env": env_file(CELERY_ALWAYS_EAGER="true")}, ""),
    ],
)
def test_a_service_that_runs_its_tasks_itself(changes: dict[str, Any], said: str) -> None:
    warnings = worked(SPLIT % ("", ""), site(**changes)).warnings
    assert [said in warning for warning in warnings] == [True] * bool(said)


def test_a_queue_that_celery_refuses() -> None:
    (error,) = built(SPLIT % ("reports: {}", ""), site(settings=NO_OTHERS)).errors
    assert "spec.workers.lms.reports.queues: the worker doesn't start: CELERY_QUEUES hasn't got" in error
    assert "edx.lms.core.reports, and Celery makes no others: CELERY_CREATE_MISSING_QUEUES is off (ConfigMap" in error
    (error,) = built(
        SPLIT % ("default: {queues: [edx.lms.core.default, edx.cms.core.low]}", ""), site(settings=NO_OTHERS)
    ).errors
    assert "spec.workers.lms.default.queues" in error
    assert "edx.cms.core.low" in error


def test_a_route_to_a_queue_that_celery_refuses() -> None:
    routing = ", routing: {lms: {a.task: {queue: edx.cms.core.high}, b.task: {queue: edx.lms.core.high}}}"
    (error,) = built(SPLIT % ("", routing), site(settings=NO_OTHERS)).errors
    assert "a.task" in error
    assert "sending the task fails" in error


@pytest.mark.parametrize(
    "settings",
    [
        NO_OTHERS + "CELERY_QUEUES['edx.lms.core.reports'] = {}\n",
        f"{SETTINGS}CELERY_TASK_CREATE_MISSING_QUEUES = False\n",
    ],
)
def test_a_queue_that_celery_takes(settings: str) -> None:
    assert worked(SPLIT % ("reports: {}", ""), site(settings=settings)).warnings == []


def test_queues_that_settings_compute() -> None:
    settings = f"{NO_OTHERS}import os\nCELERY_QUEUES = {{os.urandom(2).hex(): {{}}}}\n"
    (warning,) = worked(SPLIT % ("", ""), site(settings=settings)).warnings
    assert "whether Celery starts with queues that CELERY_QUEUES hasn't got isn't known" in warning


@pytest.mark.parametrize(
    ("settings", "workers", "said"),
    [
        ("CELERY_DEFAULT_QUEUE = 'mine'\n", "", True),
        ("CELERY_DEFAULT_QUEUE = 'mine'\n", "other: {queues: [mine]}", False),
        ("CELERY_DEFAULT_QUEUE = 'edx.lms.core.high'\n", "", False),
        ("CELERY_DEFAULT_QUEUE = 'edx.cms.core.low'\n", "", False),
        ("CELERY_TASK_DEFAULT_QUEUE = 'mine'\n", "", False),
    ],
)
def test_a_default_queue_that_nobody_takes(settings: str, workers: str, said: bool) -> None:
    warnings = worked(SPLIT % (workers, ""), site(settings=SETTINGS + settings)).warnings
    assert ["tasks of lms that nothing routes go to mine, and no" in warning for warning in warnings] == [True] * said
