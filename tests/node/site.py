"""A site on real nodes, as its operator has it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from celery import Celery

from tests.control_plane.api import RefusedError
from tests.control_plane.operator_site import NAMESPACE, OperatorSite
from tests.node.nodes import wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.node.nodes import Nodes

TASK = "load.tasks.work"


class NodeSite:
    """A site: Tutor's commands and ours act on it, tasks are sent to it, and their journal tells of them."""

    def __init__(self, nodes: Nodes, directory: Path) -> None:
        self.nodes = nodes
        self.operator = OperatorSite(directory, nodes.cluster, "22")
        self._numbers = itertools.count(1)
        nodes.add_disks()

    def apply(self, overlay: str) -> None:
        """Apply an overlay, built by the command of its documentation."""
        self.nodes.cluster.apply(self.operator.build(overlay).decode(), force_conflicts=True)

    def wait_ready(self, *apps: str) -> None:
        """Wait until each of these Deployments has all its pods, of its newest kind, ready."""
        for app in apps:
            wait(lambda app=app: self.is_complete(app), f"{app} to be ready", state=self.state)  # type: ignore[misc]

    def is_complete(self, deployment: str) -> bool:
        """Say whether a Deployment's rollout is over, as `kubectl rollout status` does."""
        item = self.nodes.cluster.get("deployment", NAMESPACE, deployment)
        status, wanted = item.get("status", {}), item["spec"].get("replicas", 1)
        return (
            status.get("observedGeneration", 0) >= item["metadata"]["generation"]
            and wanted
            == status.get("updatedReplicas", 0)
            == status.get("replicas", 0)
            == status.get("availableReplicas", 0)
        )

    def wait_working(self, *workers: str) -> None:
        """Wait until these Deployments are complete, and the Celery of each of their pods says that it is ready."""
        self.wait_ready(*workers)
        for worker in workers:
            wait(lambda worker=worker: self._says_ready(worker), f"{worker} to work", state=self.state)  # type: ignore[misc]

    def _says_ready(self, worker: str) -> bool:
        return all(" ready." in self.log(pod["metadata"]["name"], worker) for pod in self.nodes.pods(NAMESPACE, worker))

    def log(self, pod: str, container: str) -> str:
        """Return what a container has written, empty where it has none yet."""
        try:
            return self.nodes.cluster.kubectl("logs", f"--namespace={NAMESPACE}", pod, f"--container={container}").stdout
        except RefusedError:
            return ""

    def state(self) -> str:
        """Return what there is to say when something doesn't happen."""
        kubectl = self.nodes.cluster.kubectl
        said = kubectl("get", "nodes,pods,pvc", f"--namespace={NAMESPACE}", "--output=wide").stdout
        events = kubectl("get", "events", f"--namespace={NAMESPACE}", "--sort-by=.lastTimestamp").stdout
        logs = kubectl("logs", f"--namespace={NAMESPACE}", "-lapp.kubernetes.io/part-of=openedx", "--tail=8", "--prefix", "--ignore-errors", "--max-log-requests=40").stdout
        return f"{said}\n{events[-6000:]}\n{logs}"
