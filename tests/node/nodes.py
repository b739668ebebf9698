"""A cluster with real nodes: the control plane of tests/control_plane, a scheduler, and kubelets, in real time."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kustomizer.config.flower import Flower
from tests import sites
from tests.control_plane.broker import Broker
from tests.control_plane.cluster import CONTROLLERS, OF_NODES, Cluster, running_cluster
from tests.node.images import write_images
from tests.node.network import DNS, make_bridge, names
from tests.node.node import Node
from tests.parts import TOOLS, present
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SCHEDULER = TOOLS / "control-plane" / "node" / "kube-scheduler"
SITE = "22"
"""The Tutor whose site runs here."""
_IMAGE = re.compile(r"^\s*image: (\S+)$", re.MULTILINE)
DISKS = 8


def image_kinds() -> dict[str, str]:
    """Return the images that Tutor's site and Flower name, and what each is, as ``write_images`` takes them."""
    manifests = sorted((sites.site(SITE) / "k8s").glob("*.yml"))
    named = {name for path in manifests for name in _IMAGE.findall(path.read_text())}
    kinds = {name: name.rpartition("/")[2].partition(":")[0] for name in sorted({*named, Flower().image})}
    return {name: kind if kind in {"openedx", "redis", "flower"} else "waiting" for name, kind in kinds.items()}


def open_edx_image() -> str:
    """Return the image of Tutor's workers."""
    (image,) = (name for name, kind in image_kinds().items() if kind == "openedx")
    return image


class Nodes:
    """The cluster, its nodes, and a Redis outside of it in which tasks keep their journal."""

    def __init__(self, cluster: Cluster, directory: Path, group: str, images: Path, journal: Broker) -> None:
        self.cluster = cluster
        self.journal = journal
        self._directory = directory
        self._group = group
        self._images = images
        self.all: list[Node] = []

    def add(self) -> Node:
        """Switch on one more node."""
        node = Node(self.cluster, self._directory, self._group, len(self.all), self._images)
        self.all.append(node)
        node.start()
        return node

    def second(self) -> Node:
        """Return another node than the first, which is there from its first use on."""
        return self.all[1] if len(self.all) > 1 else self.add()

    def add_disks(self) -> None:
        """Make disks for the claims of a site; each is a directory of this machine, which both nodes have."""
        documents = []
        for _ in range(DISKS):
            path = self._directory / f"disk-{uuid.uuid4().hex}"
            path.mkdir()
            documents.append(_disk(path.name, path))
        self.cluster.apply(yaml.safe_dump_all(documents))

    def pods(self, namespace: str, app: str = "") -> Sequence[dict[str, Any]]:
        """Return a namespace's pods, or those with this name of an app."""
        items = self.cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        return [
            item for item in items if not app or item["metadata"]["labels"].get("app.kubernetes.io/name", "") == app
        ]

    def clear(self, namespace: str) -> None:
        """Leave nothing of a site, and every node as it was."""
        for node in self.all:
            self.cluster.kubectl("uncordon", node.name)
        self.cluster.clear(namespace)
        for disk in self.cluster.request("GET", "/api/v1/persistentvolumes")["items"]:
            path = f"/api/v1/persistentvolumes/{disk['metadata']['name']}"
            self.cluster.merge(path, {"metadata": {"finalizers": None}})
            with contextlib.suppress(Exception):
                self.cluster.request("DELETE", path)
        self.journal.client.flushall()


@contextlib.contextmanager
def running_nodes(directory: Path, group: str) -> Iterator[Nodes]:
    """Start a cluster with one node, in the namespaces that this process is in."""
    make_bridge()
    images = directory / "images.tar"
    write_images(images, image_kinds())
    with (
        running_cluster(directory / "cluster", time_factor=1, controllers=(*CONTROLLERS, *OF_NODES)) as cluster,
        names(cluster),
        Broker(directory / "journal", DNS, cluster.keeper) as journal,
    ):
        command: list[str | Path] = [
            present(SCHEDULER),
            f"--kubeconfig={cluster.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        cluster.keeper.start(command, log=cluster.directory / "kube-scheduler.log", env=dict(os.environ))
        nodes = Nodes(cluster, directory, group, images, journal)
        try:
            nodes.add()
            yield nodes
        finally:
            if keep := os.environ.get("NODE_LOGS"):
                shutil.copytree(
                    cluster.directory, Path(keep), ignore=shutil.ignore_patterns("etcd"), dirs_exist_ok=True
                )
                for node in nodes.all:
                    for name in ("kubelet", "containerd"):
                        shutil.copy(node.log(name), Path(keep) / f"{node.name}-{name}.log")
            for node in nodes.all:
                node.switch_off()


def wait(
    condition: Callable[[], object], what: str, *, seconds: float = PATIENCE, state: Callable[[], str] = str
) -> None:
    """Look again and again; if it doesn't happen, fail with ``state()``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}\n{state()}"
        time.sleep(0.25)


def _disk(name: str, path: Path) -> dict[str, Any]:
    hosts = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "Exists"}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "10Gi"},
            "accessModes": ["ReadWriteOnce"],
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [hosts]}},
        },
    }
