"""What a cloud does for a site: its pods run, its claims are bound, its balancers have an address."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from tests.control_plane.api import ApiError
from tests.control_plane.kubelet import Kubelet
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

_BOUND = {"phase": "Bound"}
_ADDRESS = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
SECONDS = 0.5


@contextlib.contextmanager
def cloud(cluster: Cluster, directory: Path) -> Iterator[None]:
    """Do so while it is open: the workers are real processes, whose Redis isn't there."""
    ended = threading.Event()
    thread = threading.Thread(target=_provide, args=(cluster, ended))
    with Kubelet(cluster, directory=directory / "pods", environ={"TASK_DIRECTORY": str(directory)}):
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _provide(cluster: Cluster, ended: threading.Event) -> None:
    core = f"/api/v1/namespaces/{NAMESPACE}"
    while not ended.wait(SECONDS):
        with contextlib.suppress(ApiError):  # gone meanwhile
            for item in cluster.request("GET", f"{core}/persistentvolumeclaims")["items"]:
                if item["status"].get("phase") != "Bound":
                    name = item["metadata"]["name"]
                    cluster.merge(f"{core}/persistentvolumeclaims/{name}/status", {"status": _BOUND})
            for item in cluster.request("GET", f"{core}/services")["items"]:
                if item["spec"]["type"] == "LoadBalancer" and not item["status"]["loadBalancer"]:
                    cluster.merge(f"{core}/services/{item['metadata']['name']}/status", {"status": _ADDRESS})
