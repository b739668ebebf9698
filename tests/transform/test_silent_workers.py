"""Flower and restoreOrphans aren't put beside workers that answer nobody without a word."""

from __future__ import annotations

import pytest
from celery import Celery

from tests.keda_site import SETTINGS, env_file, site, worked

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}%s}"
FLOWER = ", flower: {enabled: true, insecure: true}"
RESTORE = ", celery: {restoreOrphans: {enabled: true}}"
OFF = "CELERY_ENABLE_REMOTE_CONTROL = False"


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (OFF, FLOWER, "answer nobody: Flower shows nothing of what a worker has in hand"),
        (OFF, RESTORE, "answer nobody: restoreOrphans puts no task back"),
        (OFF, FLOWER + RESTORE, "can't stop a task; restoreOrphans puts"),
        (OFF, "", ""),
        ("CELERY_ENABLE_REMOTE_CONTROL = True", FLOWER, ""),
        ("CELERY_WORKER_ENABLE_REMOTE_CONTROL = False", FLOWER, ""),
        ("", RESTORE, ""),
    ],
)
def test_workers_without_remote_control(text: str, more: str, said: str) -> None:
    warnings = worked(SPLIT % more, site(settings=f"{SETTINGS}{text}\n")).warnings
    told = [warning for warning in warnings if "REMOTE_CONTROL" in warning]
    assert [said in warning and "line 2" in warning for warning in told] == [True] * bool(said)


def test_what_lms_env_yml_says() -> None:
    given = site(lms_env=env_file(CELERY_ENABLE_REMOTE_CONTROL="false"))
    assert any("restoreOrphans puts no task back" in each for each in worked(SPLIT % RESTORE, given).warnings)


def test_it_is_the_name_that_celery_reads() -> None:
    for name, expected in (("CELERY_ENABLE_REMOTE_CONTROL", False), ("CELERY_WORKER_ENABLE_REMOTE_CONTROL", True)):
        app = Celery(set_as_current=False)
        app.config_from_object({name: False, "CELERY_RESULT_BACKEND": "rpc"})
        assert app.conf.worker_enable_remote_control is expected
