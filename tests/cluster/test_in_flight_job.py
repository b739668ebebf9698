"""The Job that looks in place of a pod, made of a worker's container."""

from __future__ import annotations

import yaml

from kustomizer.cluster.in_flight_job import job
from tests.rules.small_site import service, site


def test_of_a_worker_in_a_sidecar() -> None:
    """A Job's own container has no restart policy, and isn't an init container."""
    args = ["celery", "--app=lms.celery", "worker", "--queues=a"]
    env = [{"name": "SERVICE_VARIANT", "value": "lms"}]
    sidecar = {"name": "celery", "image": "openedx:22", "args": args, "env": env, "restartPolicy": "Always"}
    [worker] = site(service("lms", pod={"initContainers": [sidecar]})).workers
    pod = yaml.safe_load(job(worker, {"action": "list"}, "openedx"))["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert (container["image"], container["env"]) == ("openedx:22", env)
    assert "restartPolicy" not in container
    assert "initContainers" not in pod
