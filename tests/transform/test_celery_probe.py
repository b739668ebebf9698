"""`livenessProbe: Celery`: who gets it, and where it is refused. tests/acceptance/test_celery.py has it at work."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.keda_site import built, site, worked
from tests.transform.test_site_settings import lms, lms_worker, settings

if TYPE_CHECKING:
    from tests.keda_site import Result, Site

CELERY = "{workers: {lms: {high: {livenessProbe: Celery}}}, unassignedQueues: Ignore%s}"


def probe_of(result: Result, name: str) -> Any:
    return result.get("Deployment", name)["spec"]["template"]["spec"]["containers"][0].get("livenessProbe")


def test_a_worker_that_asks_for_it_gets_it_and_no_other() -> None:
    result = worked(CELERY % "", lms())
    command = probe_of(result, "lms-worker-high")["exec"]["command"]
    assert command[:2] == ["sh", "-c"]
    assert "_ConsumerWatch" in settings(result, "lms-worker-high")
    compile(settings(result, "lms-worker-high"), "production.py", "exec")
    assert probe_of(result, "lms-worker") is None
    assert "celery-consumer" not in settings(result, "lms-worker")
    # Without the file nothing is wrong, as while the worker starts.
    assert subprocess.run(command, env={"TMPDIR": "/nowhere", "PATH": "/usr/bin:/bin"}, check=False).returncode == 0


def test_a_probe_of_the_sites_own_stays_as_it_is() -> None:
    given = "{exec: {command: ['true']}}"
    result = worked(CELERY.replace("Celery", given) % "", lms())
    assert probe_of(result, "lms-worker-high") == {"exec": {"command": ["true"]}}
    assert "celery-consumer" not in settings(result, "lms-worker-high")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lms("--pool=solo"), "with --pool=solo nothing else runs in the meantime"),
        (lms("-P", "gevent"), "with --pool=gevent nothing else runs in the meantime"),
        (lms(env=[{"name": "CELERY_WORKER_POOL", "value": "solo"}]), "with --pool=solo nothing else runs"),
        (lms(settings="CELERYD_POOL = 'solo'\n"), "with --pool=solo nothing else runs"),
        (lms(env=[{"name": "CELERY_BROKER_URL", "value": "amqp://q"}]), "asks Redis for tasks, and the broker is amqp"),
    ],
)
def test_it_is_refused_where_it_would_say_nothing_or_kill_a_busy_worker(given: bytes, said: str) -> None:
    more = ", celery: {lateAcknowledgement: false}"
    [message] = built(CELERY % more, given).errors
    assert "spec.workers.lms.high.livenessProbe" in message
    assert said in message
    assert "livenessProbe: null" in message


def test_a_root_that_cant_be_written_to_needs_a_place_for_the_file() -> None:
    def given(**container: Any) -> Site:
        own = lms_worker(env=container.get("env"))
        [worker] = own["spec"]["template"]["spec"]["containers"]
        worker["securityContext"] = {"readOnlyRootFilesystem": True}
        worker["volumeMounts"] += container.get("mounts", [])
        return site(lms_worker=own)

    [message] = built(CELERY % "", given()).errors
    assert "needs /tmp, which lms-worker can't write to. Mount an emptyDir at /tmp" in message
    worked(CELERY % "", given(mounts=[{"name": "scratch", "mountPath": "/tmp/"}]))  # noqa: S108
    elsewhere = [{"name": "TMPDIR", "value": "/scratch"}]
    [message] = built(CELERY % "", given(env=elsewhere)).errors
    assert "needs /scratch" in message
    worked(CELERY % "", given(env=elsewhere, mounts=[{"name": "scratch", "mountPath": "/scratch"}]))


def test_a_worker_of_another_application_has_no_settings_for_it() -> None:
    [message] = built("{workers: {superset: {default: {queues: [a], livenessProbe: Celery}}}}", lms()).errors
    assert "spec.workers.superset.default.livenessProbe: it needs settings in Open edX's own form" in message


def test_a_misspelt_one_is_refused() -> None:
    [message] = built(CELERY.replace("Celery", "celery") % "", lms()).errors
    assert "livenessProbe" in message
    assert "Celery or a map" in message
