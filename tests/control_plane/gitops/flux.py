"""Flux's source-controller and kustomize-controller as processes beside the API server."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import yaml

from tests.control_plane.cluster import free_port
from tests.control_plane.definitions import install_definitions
from tests.parts import TOOLS, present
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.control_plane.cluster import Cluster

PROGRAMS = TOOLS / "gitops"
CONTROLLERS = ("source-controller", "kustomize-controller")
NAMESPACE = "flux-system"
_REQUESTED = "reconcile.fluxcd.io/requestedAt"
_SOURCES = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/gitrepositories"
_KUSTOMIZATIONS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations"


class Flux:
    """Running controllers, and what `flux reconcile` asks of them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._numbers = itertools.count(1)
        self._name = ""
        programs = {name: present(PROGRAMS / name / name) for name in CONTROLLERS}
        install_definitions(cluster, *(PROGRAMS / name / "crds" for name in CONTROLLERS))
        cluster.kubectl("create", "namespace", NAMESPACE)
        directory = cluster.directory / "flux"
        (directory / "storage").mkdir(parents=True)
        storage = f"127.0.0.1:{free_port()}"
        options: dict[str, Sequence[str]] = {
            "source-controller": (
                f"--storage-path={directory / 'storage'}",
                f"--storage-addr={storage}",
                f"--storage-adv-addr={storage}",
            ),
            "kustomize-controller": (),
        }
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "KUBECONFIG": str(cluster.kubeconfig),
            "RUNTIME_NAMESPACE": NAMESPACE,
        }
        for name, program in programs.items():
            command = [str(program), "--metrics-addr=0", "--health-addr=0", "--events-addr=", *options[name]]
            cluster.keeper.start(command, log=cluster.directory / f"{name}.log", env=environ)

    def follow(self, source: dict[str, Any], kustomization: dict[str, Any], password: tuple[str, str]) -> None:
        """Apply a source, the Secret that it names, and what is made of it."""
        self._name = kustomization["metadata"]["name"]
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": source["spec"]["secretRef"]["name"], "namespace": NAMESPACE},
            "stringData": dict(zip(("username", "password"), password, strict=True)),
        }
        self.cluster.apply(yaml.safe_dump_all([secret, source, kustomization]), force_conflicts=True)

    def synced(self, commit: str) -> dict[str, Any]:
        """Have both look again, and return the Kustomization's status once ``commit`` is applied and all is ready."""
        self._reconcile()
        return self._until("True", "lastAppliedRevision", commit)

    def refused(self, commit: str) -> str:
        """Have both look again, and return why ``commit`` isn't applied."""
        self._reconcile()
        return str(_condition(self._until("False", "lastAttemptedRevision", commit), "Ready")["message"])

    def forget(self) -> None:
        """Follow nothing any more, and leave what was applied."""
        if self._name:
            self.cluster.merge(f"{_KUSTOMIZATIONS}/{self._name}", {"spec": {"suspend": True}})
        for kind in ("kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io"):
            self.cluster.kubectl("delete", "--namespace", NAMESPACE, "--all", kind)
        self._name = ""

    def _until(self, ready: str, revision: str, commit: str) -> dict[str, Any]:
        """Return the Kustomization's status once ``Ready`` says that of ``commit``, which is its ``revision``."""
        deadline = time.monotonic() + PATIENCE
        while True:
            status = self._status()
            found = _condition(status, "Ready")
            if found.get("status") == ready and status.get(revision, "").endswith(f":{commit}"):
                return status
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def _reconcile(self) -> None:
        """Ask as `flux reconcile kustomization --with-source` does, and wait until both have looked."""
        for path in (_SOURCES, _KUSTOMIZATIONS):
            number = str(next(self._numbers))
            one = f"{path}/{self._name}"
            self.cluster.merge(one, {"metadata": {"annotations": {_REQUESTED: number}}})
            deadline = time.monotonic() + PATIENCE
            while (status := self._status(one)).get("lastHandledReconcileAt") != number:
                assert time.monotonic() < deadline, status
                time.sleep(0.1)

    def _status(self, path: str = "") -> dict[str, Any]:
        item = self.cluster.request("GET", path or f"{_KUSTOMIZATIONS}/{self._name}")
        status: dict[str, Any] = item.get("status", {})
        return status


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next((each for each in status.get("conditions", ()) if each["type"] == kind), {})
