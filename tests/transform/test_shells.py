"""A worker that a shell starts: which shells become it, by real ones, and what is said where one doesn't."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.keda_site import Result, site, worked
from tests.transform.test_site_settings import lms_worker

CELERY = "celery --app=lms.celery worker --queues=edx.lms.core.default,edx.lms.core.high"
SCRIPTS = [
    CELERY,
    f"true && {CELERY}",
    f"true; A=1 {CELERY}\n",
    f"{CELERY}; true",
    f"{CELERY} && true",
    f"true && exec {CELERY}",
    f"export A=1\nexec env B=2 {CELERY}",
    f"exec {CELERY}; true",
    f"trap 'kill 0' TERM; {CELERY}",
]


def said(*words: str, args: list[str] | None = None, **container: Any) -> list[str]:
    own = lms_worker()
    [worker] = own["spec"]["template"]["spec"]["containers"]
    worker |= {"command": list(words), **container}
    del worker["args"]
    if args is not None:
        worker["args"] = args
    result: Result = worked("{workers: {lms: {high: {}}}}", site(lms_worker=own))
    return [str(problem) for problem in result.output.problems]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_shell_stays_where_that_is_said(shell: str, script: str, tmp_path: Path) -> None:
    celery = tmp_path / "celery"
    celery.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/worker\n")
    celery.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen([shell, "-c", script], env=environ) as process:
        process.wait(timeout=60)
    stays = (tmp_path / "worker").read_text().strip() != str(process.pid)

    assert stays == bool(said(shell, "-c", script))


def test_what_is_said() -> None:
    [message] = said("sh", "-c", f"./manage.py lms migrate && {CELERY}")
    assert (
        "Deployment lms-worker in namespace openedx: spec.template.spec.containers[0].command: lms-worker's shell"
        in message
    )
    assert "the worker is killed with its tasks in hand" in message
    assert "Write `exec celery …`" in message
    [message] = said("sh", "-c", args=[CELERY])
    assert "containers[0].args" in message


HANDED_ON = ["--", *CELERY.split()]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["sh", "-c", 'export A=1; "$@"', *HANDED_ON], 1),
        (["sh", "-c", 'export A=1; exec "$@"', *HANDED_ON], 0),
        (["bash", "-ec", 'export A=1; "$@"', *HANDED_ON], 0),
        # These send a signal to all that runs below them.
        (["dumb-init", "--", "sh", "-c", f"true; {CELERY}"], 0),
        (["/usr/bin/tini", "-g", "--", "sh", "-c", f"true; {CELERY}"], 0),
        (["/usr/bin/tini", "--", "sh", "-c", f"true; {CELERY}"], 1),
        (CELERY.split(), 0),
    ],
)
def test_where_it_is_said(words: list[str], count: int) -> None:
    assert len(said(*words)) == count


def test_a_hook_of_the_sites_own() -> None:
    hook = {"preStop": {"exec": {"command": ["pkill", "celery"]}}}
    assert not said("sh", "-c", f"true; {CELERY}", lifecycle=hook)
    assert said("sh", "-c", f"true; {CELERY}", lifecycle={"preStop": None})
