"""A site as its operator has it: a TUTOR_ROOT, this repository beside it, and the commands that he types."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import yaml

from tests import builds, sites
from tests.acceptance.test_overlays import Checkout, is_template_job
from tests.checkout import copy_checkout
from tests.control_plane.api import run_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.builds import Document
    from tests.control_plane.cluster import Cluster

NAMESPACE = "openedx"
# Tutor's own code, in Tutor's own environment.
ACTIVE_JOBS = """
import os
from tutor import config
from tutor.commands.k8s import K8sTaskRunner

root = os.environ["TUTOR_ROOT"]
print(*K8sTaskRunner(root, config.load(root)).active_job_names())
"""


class OperatorSite:
    """A copy of a site of tests.sites, and of what overlays read."""

    def __init__(self, directory: Path, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.root = directory / "checkout"
        self.root.mkdir(parents=True)
        copy_checkout(self.root)
        (self.root / ".venv").symlink_to(sys.prefix)
        self.version = "22" if name in {"full", "oracle"} else name
        shutil.copytree(sites.site(name).parent, self.root / "tutor")

    def tutor(self, *arguments: str) -> str:
        """Run the site's Tutor, on this cluster; returns all it says, raises RefusedError when it fails."""
        return self._run(sites.tutor(self.version), *arguments)

    def upgrade(self, version: str) -> None:
        """Render the site with another Tutor."""
        self.version = version
        self.tutor("config", "save")

    def active_jobs(self) -> Sequence[str]:
        """Return the names of the Jobs that `tutor k8s do` would wait for: Tutor's own code asks the API server."""
        python = sites.tutor(self.version).with_name("python")
        return self._run(python, "-W", "ignore", "-c", ACTIVE_JOBS).split()

    def build(self, overlay: str) -> bytes:
        """Return the overlay's build, by the command that its documentation has."""
        return Checkout(self.root).build(overlay)

    def plain(self) -> Sequence[Document]:
        """Return what Tutor's own output builds to, without the Jobs that Tutor never applies."""
        built = sites.build(sites.kustomize(sites.NEWEST), self.root / "tutor" / "env")
        return [item for item in builds.documents(built) if not is_template_job(item.text)]

    def _run(self, *command: str | Path) -> str:
        root = self.root / "tutor"
        places = {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(root / "plugins")}
        return run_command(command, {**self.cluster.environ, **places})


def consumers(cluster: Cluster) -> dict[str, list[str]]:
    """Return the Deployments in the cluster that consume each queue of Open edX."""
    found: dict[str, list[str]] = {}
    for item in cluster.get("deployments", NAMESPACE):
        for container in item["spec"]["template"]["spec"]["containers"]:
            # The last one counts, as Celery has it.
            stated = [word for word in container.get("args") or () if word.startswith("--queues=edx.")]
            for queue in stated[-1].removeprefix("--queues=").split(",") if stated else ():
                found.setdefault(queue, []).append(item["metadata"]["name"])
    return found


def states(cluster: Cluster, documents: Sequence[Document]) -> dict[str, str]:
    """Return the resourceVersion of each of these objects, as the cluster has it."""
    listing = yaml.safe_dump_all(
        {**{key: item.tree[key] for key in ("apiVersion", "kind")}, "metadata": _identity(item)} for item in documents
    )
    columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion"
    said = cluster.kubectl("get", "--filename=-", "--no-headers", f"--output={columns}", stdin=listing).stdout
    rows = [line.split() for line in said.splitlines()]
    return {f"{kind}/{name}": version for kind, name, version in rows}


def _identity(item: Document) -> dict[str, str]:
    metadata = item.tree["metadata"]
    return {key: metadata[key] for key in ("name", "namespace") if key in metadata}
