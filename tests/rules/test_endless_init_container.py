"""endless-init-container: what goes on for ever before a pod starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import finder, problems, resource, service, split_site, worker

found = finder("endless-init-container")
CELERY = ["celery", "--app=lms.celery"]


def init(*words: str, **more: Any) -> dict[str, Any]:
    return {"initContainers": [{"name": "first", "image": "openedx:22", "args": [*words], **more}]}


@pytest.mark.parametrize(
    "pod",
    [
        init(*CELERY, "beat", "-l", "info"),
        init(*CELERY, "worker", "--queues=a"),
        init("sh", "-c", "./manage.py check && exec celery -A lms beat"),
        init(*CELERY, "events", "--camera=a"),
        init(image="mher/flower:2.0.1"),
    ],
)
def test_what_never_ends(pod: dict[str, Any]) -> None:
    (problem,) = problems("endless-init-container", worker("lms-worker", pod=pod))
    assert problem.severity == "error"
    assert problem.field == "spec.template.spec.initContainers[0]"
    assert "never ends: no pod of lms-worker starts" in problem.message
    sidecar = {"initContainers": [{**pod["initContainers"][0], "restartPolicy": "Always"}]}
    assert found(worker("lms-worker", pod=sidecar)) == []


@pytest.mark.parametrize(
    "pod",
    [
        init("./manage.py", "lms", "migrate"),
        init(*CELERY, "purge", "-f"),
        init("sh", "-c", "until celery -A lms inspect ping; do sleep 1; done"),
        init("timeout", "60", *CELERY, "beat"),
        init(*CELERY, "worker", "--detach"),
        init("sh", "-c", "celery -A lms beat & sleep 5"),
        init("celery", "multi", "start", "w1", "-A", "lms"),
    ],
)
def test_what_ends(pod: dict[str, Any]) -> None:
    assert found(*split_site(lms_worker=worker("lms-worker", "edx.lms.core.default", pod=pod))) == []


def test_of_any_workload() -> None:
    assert found(service("lms", pod=init(*CELERY, "beat"))) == [("error", "lms")]
    pod = {"containers": [{"name": "a", "image": "a"}], **init(*CELERY, "beat")}
    job = resource(
        "CronJob", "job", api_version="batch/v1", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}}
    )
    (problem,) = problems("endless-init-container", job)
    assert problem.field == "spec.jobTemplate.spec.template.spec.initContainers[0]"
    (problem,) = problems("endless-init-container", resource("Pod", "pod", spec=pod))
    assert problem.field == "spec.initContainers[0]"
