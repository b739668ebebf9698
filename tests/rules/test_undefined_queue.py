"""undefined-queue: queues that Celery refuses to name, as a real one does."""

from __future__ import annotations

import pytest

from tests.openedx.celery.test_view import answers
from tests.openedx.celery.worker_cases import case
from tests.rules.small_site import finder, problems, resource, settings as module, with_settings

found = finder("undefined-queue")
CONFIG = resource("ConfigMap", "openedx-config", data={"lms.env.yml": "SITE_NAME: x\n"})
NO_OTHERS = "from lms.envs.production import *\nCELERY_CREATE_MISSING_QUEUES = False\n"
ROUTES = "EXPLICIT_QUEUES['a.task'] = {'queue': '%s'}\n"


def test_a_worker_that_does_not_start() -> None:
    worker = with_settings("lms-worker", "edx.lms.core.default,one.more")
    assert found(CONFIG, module(NO_OTHERS), worker) == [("error", "lms-worker")]
    assert found(CONFIG, module(NO_OTHERS + "CELERY_QUEUES['one.more'] = {}\n"), worker) == []
    assert found(CONFIG, module(NO_OTHERS.replace("False", "True")), worker) == []
    assert found(CONFIG, module(NO_OTHERS), with_settings("lms-worker", "")) == []


def test_a_route_that_leads_nowhere() -> None:
    worker = with_settings("lms-worker", "edx.lms.core.default")
    (problem,) = problems("undefined-queue", CONFIG, module(NO_OTHERS + ROUTES % "one.more"), worker)
    assert problem.message.startswith("lms can't send a.task: CELERY_QUEUES hasn't got one.more")
    assert found(CONFIG, module(NO_OTHERS + ROUTES % "edx.lms.core.high"), worker) == []


def test_it_is_computed() -> None:
    text = NO_OTHERS + "import os\nCELERY_QUEUES = {os.urandom(2).hex(): {}}\n"
    assert found(CONFIG, module(text), with_settings("lms-worker", "one.more")) == [("warning", "lms-worker")]


@pytest.mark.parametrize(("text", "starts"), [("", True), ("CELERY_CREATE_MISSING_QUEUES = False\n", False)])
def test_what_a_real_worker_does(text: str, starts: bool) -> None:
    worker = case("one", "-Q", "one.more", settings=text)
    answer = answers("", [worker])["one"]
    assert ("error" not in answer) == starts
    assert starts or "Trying to select queue subset of ['one.more']" in answer["error"]
