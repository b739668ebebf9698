"""What a site's settings say of early acknowledgement isn't overridden, or undone, without a word."""

from __future__ import annotations

import pytest
from celery import Celery

from tests.keda_site import SETTINGS, env_file, site, worked

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}%s}"
ANNOTATIONS = "{'*': {'rate_limit': '1/s'}, 'a.task': {'acks_late': False}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CELERY_ACKS_LATE = False", "CELERY_ACKS_LATE is off, and the split turns it on"),
        ("CELERY_ACKS_LATE = True", ""),
        ("CELERY_ACKS_LATE = None", ""),
        ("CELERY_TASK_ACKS_LATE = False", ""),
        (f"CELERY_ANNOTATIONS = {ANNOTATIONS}", "CELERY_ANNOTATIONS has a.task acknowledged early"),
        (f"CELERY_ANNOTATIONS = [{ANNOTATIONS}, 3]", "CELERY_ANNOTATIONS has a.task acknowledged early"),
        ("CELERY_ANNOTATIONS = {'*': {'acks_late': True}, 'x': 3}", ""),
        ("CELERY_ANNOTATIONS = {'*': {'acks_late': 0}}", "CELERY_ANNOTATIONS has * acknowledged early"),
        ("CELERY_ANNOTATIONS = {'grades.*': {'acks_late': False}}", ""),
        (f"CELERY_TASK_ANNOTATIONS = {ANNOTATIONS}", ""),
        ("CELERY_ANNOTATIONS = made_elsewhere()", ""),
    ],
)
def test_what_settings_say(text: str, said: str) -> None:
    given = site(settings=f"{SETTINGS}{text}\n")
    warnings = worked(SPLIT % "", given).warnings
    assert [said in warning and "line 2" in warning for warning in warnings] == [True] * bool(said)
    assert worked(SPLIT % ", celery: {lateAcknowledgement: false}", given).warnings == []
    meant = worked(SPLIT % ", celery: {lateAcknowledgement: true}", given).warnings
    assert len(meant) == said.startswith("CELERY_ANNOTATIONS")


def test_what_lms_env_yml_says() -> None:
    (warning,) = worked(SPLIT % "", site(lms_env=env_file(CELERY_ACKS_LATE="false"))).warnings
    assert "lms.env.yml" in warning


@pytest.mark.parametrize(("name", "counts"), [("CELERY_ANNOTATIONS", True), ("CELERY_TASK_ANNOTATIONS", False)])
def test_the_name_that_celery_reads(name: str, counts: bool) -> None:
    app = Celery("x", set_as_current=False)
    app.config_from_object({"CELERY_ACKS_LATE": True, name: {"a.task": {"acks_late": False}}})
    assert bool(app.conf.task_annotations) is counts
