"""Real tasks on real workers that KEDA scales, by what it counts on a real Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.broker_site import Broker
from tests.builds import QUEUES
from tests.control_plane.live_site import live_site
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.control_plane.cluster import Cluster

SCALED: dict[str, Any] = {"concurrency": 1, "keda": {"enabled": True}}
DEFAULT, HIGH = QUEUES["lms-worker"], QUEUES["lms-worker-high"]
BULK = "edx.lms.core.bulk"


def test_from_zero_to_many_and_back(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    with live_site(cluster, tmp_path, builds, defaults=SCALED) as site:
        site.wait_replicas("lms-worker-high", 0)
        tasks = site.send(HIGH, seconds=1, count=200)
        # 40 queued tasks for each pod.
        site.wait_replicas("lms-worker-high", 5)
        site.wait_finished(*tasks)
        site.wait_replicas("lms-worker-high", 0)
        pods = site.kubelet.pods("lms-worker-high")
        site.wait(lambda: all(pod.ended for pod in site.kubelet.pods("lms-worker-high")), "the pods to be gone")

        assert set(site.times("started", tasks).values()) == {1}
        assert set(site.times("finished", tasks).values()) == {1}
        # The first is the one that a Deployment without replicas begins with.
        assert len(pods) == 6
        assert {pod.how for pod in site.kubelet.pods("lms-worker-high")} == {"stopped"}
        assert {pod.restarts for pod in pods} == {0}


def test_a_killed_workers_task_runs_again(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    workers = {"lms": {"high": {"visibilityTimeout": 100}}}
    with live_site(cluster, tmp_path, builds, defaults=SCALED, workers=workers) as site:
        # The one that a Deployment without replicas begins with may be stopped while it has the task.
        site.wait_replicas("lms-worker-high", 0)
        [task] = site.send(HIGH, seconds=4)
        site.wait(lambda: site.times("started", [task])[task], "the task to start")
        [pod] = site.kubelet.running("lms-worker-high")
        site.kubelet.lose(pod.name)
        site.wait_finished(task)

        assert site.times("started", [task]) == {task: 2}
        assert site.times("finished", [task]) == {task: 1}
        assert pod.name in {event.pod for event in site.journal.read()}
        assert next(gone for gone in site.kubelet.pods() if gone.name == pod.name).how == "lost"


def test_password_database_and_tls(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    broker = Broker(password="p@ss/w:rd#1", database=3, tls=True)
    with live_site(cluster, tmp_path, builds, broker, defaults=SCALED) as site:
        site.wait_replicas("lms-worker-high", 0)
        tasks = site.send(HIGH, seconds=1, count=50)
        site.wait_replicas("lms-worker-high", 2)
        site.wait_finished(*tasks)

        assert set(site.times("finished", tasks).values()) == {1}
        assert broker.password not in str(cluster.get("scaledobjects", NAMESPACE))


def test_two_queues_on_one_worker_and_the_default_workers(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    workers = {"lms": {"high": {"queues": [HIGH, BULK]}}}
    with live_site(cluster, tmp_path, builds, defaults=SCALED, workers=workers) as site:
        for deployment in ("lms-worker", "cms-worker", "lms-worker-high"):
            site.wait_replicas(deployment, 0)
        # The larger queue decides, and each by itself wakes the worker.
        tasks = [*site.send(BULK, seconds=1, count=50), *site.send(HIGH, seconds=1, count=5)]
        tasks += [*site.send(DEFAULT, seconds=0.5, count=50), *site.send(QUEUES["cms-worker"], count=1)]
        for deployment in ("lms-worker", "lms-worker-high"):
            site.wait_replicas(deployment, 2)
        site.wait_finished(*tasks)

        assert set(site.times("finished", tasks).values()) == {1}
        found = {event.pod.rsplit("-", 2)[0]: event.queue for event in site.journal.read()}
        assert found.keys() == {"lms-worker", "cms-worker", "lms-worker-high"}
