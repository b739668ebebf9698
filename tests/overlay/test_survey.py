"""What `init` finds in a site, beyond what its own tests show."""

from __future__ import annotations

from kustomizer.overlay.survey import survey
from tests.rules.small_site import resource, service, site, worker

CELERY = {"args": ["celery", "--app=cms.celery", "worker"], "env": [{"name": "SERVICE_VARIANT", "value": "cms"}]}


def test_workers_that_stay_as_they_are() -> None:
    sidecar = {"initContainers": [{"name": "celery", "restartPolicy": "Always", **CELERY}]}
    template = {"template": {"spec": {"containers": [{"name": "w", **CELERY}]}}}
    night = resource("CronJob", "night", spec={"jobTemplate": {"spec": template}})
    found = survey(site(worker("lms-worker", "a"), service("cms", pod=sidecar), night).resources)
    lines = [line for line in found.lines() if "runs a worker" in line]
    assert lines == [
        "CronJob night runs a worker and stays as it is: only a Deployment's own container is split",
        "Deployment cms, in a sidecar, runs a worker and stays as it is: only a Deployment's own container is split",
    ]
