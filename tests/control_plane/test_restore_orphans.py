"""celery-restore-orphans on the control plane: a killed worker's task, a lost node's, and what nobody has killed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.data.orphans import RECORD
from tests import celery_site
from tests.builds import QUEUES
from tests.control_plane import emissions
from tests.control_plane.api import ApiError
from tests.control_plane.live_site import FACTOR, LiveSite, live_site
from tests.control_plane.restorer import OLDER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.control_plane.cluster import Cluster

HIGH = QUEUES["lms-worker-high"]
ON: dict[str, Any] = {"celery": {"restoreOrphans": {"enabled": True}}, "defaults": {"concurrency": 1}}
FIVE_MINUTES = 300


def test_what_a_killed_worker_had_starts_again_within_five_minutes(
    cluster: Cluster, tmp_path: Path, builds: Builds
) -> None:
    workers = {"lms": {"high": {"replicas": 2}}}
    with live_site(cluster, tmp_path, builds, **ON, workers=workers) as site:
        site.wait(lambda: len(ready(site, "lms-worker-high")) == 2, "two pods")
        wait_until_it_knows_redis(site)
        # Longer than what is waited for, so that none is done before.
        first, second = site.send(HIGH, seconds=90, count=2)
        site.wait(lambda: all(site.times("started", [first, second]).values()), "both to start")
        began = {event.task: event.pod for event in site.journal.read() if event.event == "started"}

        site.kubelet.kill(began[first])
        assert seconds_until_it_starts_again(site, first) < FIVE_MINUTES
        assert site.times("started", [first, second]) == {first: 2, second: 1}

        site.kubelet.lose(began[second])
        assert seconds_until_it_starts_again(site, second) < FIVE_MINUTES
        assert site.times("started", [first, second]) == {first: 2, second: 2}


def seconds_until_it_starts_again(site: LiveSite, task: str) -> float:
    """Wait until a task of which an attempt was just killed starts again; returns the site's seconds."""
    at = time.time()
    site.wait(lambda: site.times("started", [task])[task] == 2, f"{task} to start again")
    return (time.time() - at) * FACTOR


def test_a_namespace_of_the_restricted_standard_takes_its_pod(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    env = celery_site.render(tmp_path / "tutor", {})
    built = {
        (item.tree["kind"], item.tree["metadata"]["name"]): item.tree
        for item in builds.through_exec(env, celery_site.specification(**ON)).documents
    }
    restricted = {"name": "restricted", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    cluster.request("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": restricted})

    def create(deployment: str) -> None:
        spec = built["Deployment", deployment]["spec"]["template"]["spec"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
        cluster.request("POST", "/api/v1/namespaces/restricted/pods?dryRun=All", pod)

    try:
        create(emissions.RESTORER)
        # The server does look.
        with pytest.raises(ApiError, match="violates PodSecurity"):
            create("lms-worker")
    finally:
        cluster.clear("restricted")


def wait_until_it_knows_redis(site: LiveSite) -> None:
    """Wait until the program takes what is taken now for something that this Redis can't have forgotten."""

    def knows() -> bool:
        text = site.redis.get(RECORD)
        return bool(text) and time.time() > json.loads(str(text))["since"] + OLDER / FACTOR

    site.wait(knows, "the program to have looked")


def ready(site: LiveSite, deployment: str) -> list[str]:
    return [pod.name for pod in site.kubelet.running(deployment) if pod.ready]
