"""A site on real nodes, as its operator has it."""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from celery import Celery

from tests import celery_site, sites
from tests.control_plane import emissions
from tests.control_plane.api import RefusedError, run_command
from tests.control_plane.operator_site import NAMESPACE, OperatorSite
from tests.node.nodes import SITE, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.builds import Builds
    from tests.node.nodes import Nodes

TASK = "load.tasks.work"
CLI = Path(sys.executable).with_name("tutor-kustomizer")
CRASHING = "CrashLoopBackOff"


class NodeSite:
    """A site: Tutor's commands and ours act on it, tasks are sent to it, and their journal tells of them."""

    def __init__(self, nodes: Nodes, directory: Path) -> None:
        self.nodes = nodes
        self.directory = directory
        self.operator = OperatorSite(directory, nodes.cluster, SITE)
        self._numbers = itertools.count(1)
        nodes.add_disks()

    def apply(self, overlay: str) -> Path:
        """Apply an overlay, built by the command of its documentation; returns the file with the build."""
        return self._apply(self.operator.build(overlay))

    def apply_workers(
        self,
        builds: Builds,
        *queues: str,
        change: Callable[[dict[str, Any]], None] | None = None,
        **more: Any,
    ) -> Path:
        """Apply the workers of the recommended configuration with ``more``, and Tutor's Redis; no more of the site.

        ``queues`` leaves the workers of others out; ``change`` is done to each worker's Deployment.
        """
        built = builds.through_exec(sites.site(SITE), celery_site.specification(**more))
        trees = [item.tree for item in built.documents]
        kept = emissions.workers(trees, queues)
        kept += [tree for tree in trees if tree["metadata"]["name"] == "redis" and tree not in kept]
        if change is not None:
            kept = json.loads(json.dumps(kept))
            for tree in kept:
                if tree["kind"] == "Deployment" and tree["metadata"]["name"] != "redis":
                    change(tree)
        return self._apply(yaml.safe_dump_all(kept).encode())

    def _apply(self, build: bytes) -> Path:
        self.nodes.cluster.apply(build.decode(), force_conflicts=True)
        file = self.directory / "build.yaml"
        file.write_bytes(build)
        return file

    def run(self, *arguments: str | Path, status: int = 0) -> str:
        """Run our command line with the real kubectl on this cluster; returns all it says."""
        return run_command([CLI, *arguments], {**self.nodes.cluster.environ, "COLUMNS": "200"}, status=status)

    def send(self, queue: str, *, seconds: float = 0.1, count: int = 1, megabytes: int = 0) -> list[str]:
        """Send tasks that take so many seconds; returns their names."""
        names = [f"task-{os.getpid()}-{next(self._numbers)}" for _ in range(count)]
        with self._app() as app:
            for name in names:
                given = {"journal": self.nodes.journal.url, "seconds": seconds, "megabytes": megabytes}
                app.send_task(TASK, kwargs=given, queue=queue, task_id=name, ignore_result=True)
        return names

    def restore_orphans(self, build: Path) -> None:
        """Put back what nobody has in hand; asked again as long as somebody doesn't answer yet."""
        command = ("in-flight", "restore", "--orphaned", "--older-than=1", build)
        said = [""]

        def restored() -> bool:
            try:
                said[0] = self.run(*command)
            except RefusedError as error:
                said[0] = str(error)
                return False
            return True

        wait(restored, "orphans to be put back", state=lambda: said[0])

    def tell(self, pod: str, what: str, *, answers: bool = True, **arguments: Any) -> None:
        """Tell the worker in a pod to do what image/edx-platform/load/tasks.py has for it."""
        with self._app() as app:
            replies = app.control.broadcast(
                what, arguments=arguments, reply=True, timeout=20, pattern=f"*.{pod}", matcher="glob"
            )
        assert replies or not answers, f"{pod} doesn't answer"

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return what tasks have written into the journal about this event, the oldest first."""
        found = [json.loads(line) for line in self.nodes.journal.client.lrange("journal", 0, -1)]
        return [item for item in found if item["event"] == event]

    def times(self, event: str, tasks: Sequence[str]) -> dict[str, int]:
        """Return how often that happened to each of these tasks."""
        happened = [item["task"] for item in self.events(event)]
        return {name: happened.count(name) for name in tasks}

    def wait_started(self, *tasks: str) -> None:
        """Wait until each of these tasks has started."""
        wait(lambda: all(self.times("started", tasks).values()), f"{tasks} to start", state=self.state)

    def wait_finished(self, *tasks: str, seconds: float = 300) -> None:
        """Wait until each of these tasks has finished."""
        wait(
            lambda: all(self.times("finished", tasks).values()), f"{tasks} to finish", seconds=seconds, state=self.state
        )

    def wait_ready(self, *deployments: str) -> None:
        """Wait until each of these Deployments has all its pods, of its newest kind, ready."""
        for name in deployments:
            wait(lambda name=name: self._is_complete(name), f"{name} to be ready", state=self.state)  # type: ignore[misc]

    def wait_working(self, *workers: str) -> None:
        """Wait until these Deployments are complete, and the Celery of each of their pods says that it is ready."""
        for worker in workers:
            wait(lambda worker=worker: self._works(worker), f"{worker} to work", state=self.state)  # type: ignore[misc]

    def wait_gone(self, *pods: str) -> None:
        """Wait until there are none of these pods any more."""
        left = set(pods)
        wait(
            lambda: not left & {item["metadata"]["name"] for item in self.nodes.pods(NAMESPACE)},
            f"{pods} to be gone",
            state=self.state,
        )

    def restarts(self, pod: str) -> int:
        """Return how often a pod's containers were started again."""
        item = self.nodes.cluster.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}")
        return sum(status["restartCount"] for status in item["status"].get("containerStatuses") or ())

    def log(self, pod: str, container: str) -> str:
        """Return what a container has written, empty where it has none yet."""
        try:
            return self.nodes.cluster.kubectl(
                "logs", f"--namespace={NAMESPACE}", pod, f"--container={container}"
            ).stdout
        except RefusedError:
            return ""

    def running(self, deployment: str) -> list[str]:
        """Return the names of a Deployment's pods that haven't been told to stop, the oldest first."""
        found = [item for item in self.nodes.pods(NAMESPACE, deployment) if "deletionTimestamp" not in item["metadata"]]
        return [
            item["metadata"]["name"] for item in sorted(found, key=lambda item: item["metadata"]["creationTimestamp"])
        ]

    def _works(self, worker: str) -> bool:
        pods = self.nodes.pods(NAMESPACE, worker)
        states = [status["state"] for pod in pods for status in pod["status"].get("containerStatuses") or ()]
        assert not any(state.get("waiting", {}).get("reason") == CRASHING for state in states), self.state()
        return self._is_complete(worker) and all(" ready." in self.log(name, worker) for name in self.running(worker))

    def _is_complete(self, deployment: str) -> bool:
        """Say whether a Deployment's rollout is over, as `kubectl rollout status` does: pods that end don't count."""
        item = self.nodes.cluster.get("deployment", NAMESPACE, deployment)
        status, wanted = item.get("status", {}), item["spec"].get("replicas", 1)
        counts = {status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")}
        return status.get("observedGeneration", 0) >= item["metadata"]["generation"] and counts == {wanted}

    def _app(self) -> Celery:
        [redis] = self.nodes.pods(NAMESPACE, "redis")
        return Celery(broker=f"redis://{redis['status']['podIP']}:6379/0")

    def state(self) -> str:
        """Return what there is to say when something doesn't happen."""
        kubectl, where = self.nodes.cluster.kubectl, f"--namespace={NAMESPACE}"
        said = kubectl("get", "nodes,pods,pvc,scaledobjects,hpa", where, "--output=wide").stdout
        events = kubectl("get", "events", where, "--sort-by=.lastTimestamp").stdout
        some = (
            "-lapp.kubernetes.io/part-of=openedx",
            "--tail=8",
            "--prefix",
            "--ignore-errors",
            "--max-log-requests=40",
        )
        logs = kubectl("logs", where, *some).stdout
        journal = "\n".join(map(str, self.nodes.journal.client.lrange("journal", -40, -1)))
        return f"{said}\n{events[-6000:]}\n{logs}\n{journal}"
