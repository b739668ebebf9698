"""A site's workers at work on the control plane: scaled by KEDA, on a Redis of their own, ten times as fast."""

from __future__ import annotations

import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml
from celery import Celery

from tests import celery_site, sites
from tests.broker_site import BROKERS, Broker, secret
from tests.builds import documents
from tests.control_plane import emissions
from tests.control_plane.faster import faster
from tests.control_plane.journal import Journal
from tests.control_plane.kubelet import Kubelet
from tests.control_plane.operator_site import NAMESPACE
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from redis import Redis

    from tests.builds import Builds
    from tests.control_plane.cluster import Cluster

TASK = "load.tasks.work"
FACTOR = 10
SECONDS = 240
"""How long a test waits for what takes well under a minute on a machine that does nothing else."""


class LiveSite:
    """A running site."""

    def __init__(self, cluster: Cluster, kubelet: Kubelet, redis: Redis, app: Celery, journal: Journal) -> None:
        self.cluster = cluster
        self.kubelet = kubelet
        self.redis = redis
        self.journal = journal
        self.env: Path
        self._app = app
        self._numbers = itertools.count(1)

    def apply(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Apply objects with their times divided, over what Tutor applied or we did."""
        self.cluster.apply(faster(yaml.safe_dump_all(objects), FACTOR), force_conflicts=True)

    def apply_tutors_own(self) -> None:
        """Apply Tutor's own workers as Tutor does, with their times divided."""
        plain = documents(sites.build(sites.kustomize(sites.NEWEST), self.env))
        objects = emissions.workers(item.tree for item in plain)
        self.cluster.apply(faster(yaml.safe_dump_all(objects), FACTOR), server_side=False)

    def send(self, queue: str, *, seconds: float = 0.1, count: int = 1) -> list[str]:
        """Send tasks that take so many real seconds; returns their names."""
        names = [f"task-{next(self._numbers)}" for _ in range(count)]
        for name in names:
            arguments = {"journal": str(self.journal.path), "seconds": seconds}
            self._app.send_task(TASK, kwargs=arguments, queue=queue, task_id=name, ignore_result=True)
        return names

    def times(self, event: str, tasks: Sequence[str]) -> dict[str, int]:
        """Return how often that happened to each of these tasks."""
        happened = [item.task for item in self.journal.read() if item.event == event]
        return {name: happened.count(name) for name in tasks}

    def wait_finished(self, *tasks: str) -> None:
        """Wait until each of these tasks has finished."""
        self.wait(lambda: all(self.times("finished", tasks).values()), f"{len(tasks)} tasks to finish")

    def replicas(self, deployment: str) -> int:
        """Return how many pods a Deployment is told to have."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{deployment}/scale"
        return int(self.cluster.request("GET", path)["spec"].get("replicas", 0))

    def wait_replicas(self, deployment: str, count: int) -> None:
        """Wait until a Deployment is told to have so many pods."""
        self.wait(lambda: self.replicas(deployment) == count, f"{deployment} to have {count} replicas")

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look again and again; if it doesn't happen, fail with what became of the pods."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                said = self.cluster.kubectl("get", "scaledobjects,hpa,deployments", f"--namespace={NAMESPACE}").stdout
                pods = "\n".join(f"{pod}\n{self.kubelet.log(pod.name)[-500:]}" for pod in self.kubelet.pods())
                raise AssertionError(f"waited in vain for {what}\n{said}\n{pods}")
            time.sleep(0.1)


@contextlib.contextmanager
def live_site(
    cluster: Cluster,
    directory: Path,
    builds: Builds,
    broker: Broker = BROKERS["plain"],
    *,
    over_tutors: bool = False,
    **more: Any,
) -> Iterator[LiveSite]:
    """Run the workers of the recommended configuration with ``more``, and none of the rest of the site.

    With ``over_tutors`` Tutor's own workers were there before, as on a site that goes live.
    """
    given = {"username": broker.username, "password": broker.password}
    for name in ("redis", f"redis.{NAMESPACE}"):
        cluster.name_address(name)
    with redis_server(directory / "redis", **given, tls=broker.tls) as server, server.client(broker.database) as client:
        settings = {
            "REDIS_PORT": server.port,
            "REDIS_PASSWORD": quote(broker.password, safe=""),
            "OPENEDX_CELERY_REDIS_DB": broker.database,
        }
        ssl = {"ssl_ca_certs": str(server.ca)} if server.ca else None
        env = celery_site.render(directory / "tutor", settings, {"BROKER_USE_SSL": ssl} if ssl else None)
        objects = []
        if server.ca:
            more["broker"] = {"tls": {"ca": {"name": "redis-ca", "key": "ca.crt"}}}
            authority = secret("redis-ca", {"ca.crt": server.ca.read_text()})
            objects.append({"apiVersion": "v1", **authority, "metadata": {"name": "redis-ca", "namespace": NAMESPACE}})
        built = builds.through_exec(env, celery_site.specification(**more))
        url = f"redis://:{quote(broker.password, safe='')}@127.0.0.1:{server.port}/{broker.database}"
        app = Celery(broker=url)
        app.conf.broker_use_ssl = ssl
        journal = Journal(directory / "journal")
        # Where edx_platform's other tasks would write.
        environ = {"TASK_DIRECTORY": str(directory)}
        with app, Kubelet(cluster, directory=directory / "pods", environ=environ, time_factor=FACTOR) as kubelet:
            site = LiveSite(cluster, kubelet, client, app, journal)
            site.env = env
            if over_tutors:
                site.apply_tutors_own()
            # The namespace comes first in kustomize's order, and the Secret needs it.
            site.apply([*emissions.workers(item.tree for item in built.documents), *objects])
            yield site
