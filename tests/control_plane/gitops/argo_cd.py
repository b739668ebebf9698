"""Argo CD beside the API server: its repo-server, the plugin's server, and its application controller."""

from __future__ import annotations

import shutil
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import yaml

from tests.control_plane.api import ApiError
from tests.control_plane.cluster import free_port
from tests.control_plane.definitions import install_definitions
from tests.parts import TOOLS, present
from tests.processes import PATIENCE
from tests.sites import ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

PROGRAMS = TOOLS / "gitops" / "argo-cd"
SIGNATURES = "git-verify-wrapper.sh"
PLUGIN = ROOT / "docs" / "argo-cd" / "plugin.yaml"
NAMESPACE = "argocd"
_APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"


class ArgoCd:
    """Running servers, and what `argocd app` asks of them."""

    def __init__(self, cluster: Cluster, redis_port: int, path: str) -> None:
        """``path`` is where the plugin's commands and kustomize are."""
        self.cluster = cluster
        self._name = ""
        self._directory = cluster.directory / "argo-cd"
        self._path = path
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        program = present(PROGRAMS / "argocd")
        binaries = self._directory / "bin"
        binaries.mkdir(parents=True)
        for name in ("argocd", "argocd-cmp-server", "argocd-repo-server", "argocd-application-controller"):
            (binaries / name).symlink_to(program)
        (binaries / SIGNATURES).symlink_to(present(PROGRAMS / SIGNATURES))
        install_definitions(cluster, PROGRAMS / "crds")
        cluster.apply(yaml.safe_dump_all(_installation()))
        server = f"127.0.0.1:{free_port()}"
        redis = f"--redis=127.0.0.1:{redis_port}"
        (self._directory / "plugin").mkdir()
        shutil.copy(PLUGIN, self._directory / "plugin")
        self._start("argocd-cmp-server", f"--config-dir-path={self._directory / 'plugin'}")
        address, port = server.split(":")
        repo = (f"--address={address}", f"--port={port}", "--metrics-address=127.0.0.1")
        # Without TLS there may be no clients' authority, for which there is a default.
        plain = ("--disable-tls", "--client-ca-path=")
        self._start("argocd-repo-server", *repo, f"--metrics-port={free_port()}", *plain, redis)
        options = (f"--repo-server={server}", "--repo-server-plaintext", f"--namespace={NAMESPACE}")
        # The default is minutes; a test asks at once.
        more = ("--app-resync=600", f"--metrics-port={free_port()}")
        self._start("argocd-application-controller", *options, *more, redis)

    def _start(self, name: str, *options: str) -> None:
        scratch = self._directory / name
        for directory in (scratch, self._directory / "plugins", self._directory / "tls"):
            directory.mkdir(exist_ok=True)
        environ = {
            "PATH": f"{self._directory / 'bin'}:{self._path}",
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ARGOCD_PLUGINSOCKFILEPATH": str(self._directory / "plugins"),
            "ARGOCD_ASK_PASS_SOCK": str(self._directory / "ask-pass.sock"),
            "ARGOCD_TLS_DATA_PATH": str(self._directory / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(self._directory / "tls"),
            "ARGOCD_GPG_ENABLED": "false",
        }
        # The plugin's server has no way to the cluster.
        if name == "argocd-application-controller":
            environ |= {"KUBECONFIG": str(self.cluster.kubeconfig), "ARGOCD_FAKE_IN_CLUSTER": "true"}
        command = [str(self._directory / "bin" / name), *options]
        self._servers[name] = self.cluster.keeper.start(command, log=self._log(name), env=environ, cwd=scratch)

    def _log(self, name: str) -> Path:
        return self.cluster.directory / f"{name}.log"

    def follow(self, application: dict[str, Any], password: tuple[str, str]) -> None:
        """Apply an Application, and the Secret with its repository's password."""
        self._name = application["metadata"]["name"]
        url = application["spec"]["source"]["repoURL"]
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "repository",
                "namespace": NAMESPACE,
                "labels": {"argocd.argoproj.io/secret-type": "repository"},
            },
            "stringData": {"type": "git", "url": url, **dict(zip(("username", "password"), password, strict=True))},
        }
        self.cluster.apply(yaml.safe_dump_all([secret, application]), force_conflicts=True)

    def sync(self, *options: str) -> None:
        """Ask for a sync as `argocd app sync --prune` does."""
        path = f"{_APPLICATIONS}/{self._name}"
        sync = {"prune": True, "syncOptions": list(options)}
        operation = {"initiatedBy": {"username": "tests"}, "sync": sync}
        self.cluster.merge(path, {"operation": operation})

    def refresh(self) -> None:
        """Have the controller look at the branch and at the cluster, and wait until it has."""
        path = f"{_APPLICATIONS}/{self._name}"
        self.cluster.merge(path, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})
        self._until(lambda item: "argocd.argoproj.io/refresh" not in (item["metadata"].get("annotations") or {}))

    def synced(self, commit: str) -> dict[str, Any]:
        """Return the Application once ``commit`` is what the cluster has, by an operation that has ended well."""

        def is_synced(item: dict[str, Any]) -> bool:
            status = item.get("status", {})
            sync, last = status.get("sync", {}), status.get("operationState", {})
            done = last.get("phase") == "Succeeded" and last["syncResult"]["revision"] == commit
            return bool(sync.get("status") == "Synced" and sync.get("revision") == commit and done)

        return self._until(is_synced)

    def healed(self, is_healed: Callable[[], bool]) -> None:
        """Wait until the controller has seen by itself that the cluster has something else, and has put it right."""
        self._until(lambda _item: is_healed())

    def running(self, commit: str) -> str:
        """Return what a sync of ``commit`` that goes on waits for."""

        def goes_on(item: dict[str, Any]) -> bool:
            last = item.get("status", {}).get("operationState", {})
            found = last.get("syncResult", {}).get("revision") == commit and "waiting" in last.get("message", "")
            return bool(last.get("phase") == "Running" and found)

        return str(self._until(goes_on)["status"]["operationState"]["message"])

    def refused(self, said: str) -> str:
        """Return the Application's condition once it says ``said``."""

        def conditions(item: dict[str, Any]) -> str:
            return "\n".join(each["message"] for each in item.get("status", {}).get("conditions", ()))

        return conditions(self._until(lambda item: said in conditions(item)))

    def forget(self) -> None:
        """Follow nothing any more, and leave what was applied."""
        if not self._name:
            return
        path = f"{_APPLICATIONS}/{self._name}"
        self.cluster.request("DELETE", path)
        deadline = time.monotonic() + PATIENCE
        while self._is_there(path):
            assert time.monotonic() < deadline, f"{self._name} stays"
            time.sleep(0.1)
        self._name = ""

    def _is_there(self, path: str) -> bool:
        try:
            self.cluster.request("GET", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    def _until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            item = self.cluster.request("GET", f"{_APPLICATIONS}/{self._name}")
            if holds(item):
                return item
            assert time.monotonic() < deadline, yaml.safe_dump(item.get("status", {}))[-6000:]
            for name, server in self._servers.items():
                assert server.poll() is None, f"{name} has ended: {self._log(name).read_text()[-2000:]}"
            time.sleep(0.2)


def _installation() -> list[dict[str, Any]]:
    """Return what Argo CD's own manifests and its API server make, as far as the three servers ask for it."""
    labels = {"app.kubernetes.io/part-of": "argocd"}

    def named(name: str) -> dict[str, Any]:
        return {"name": name, "namespace": NAMESPACE, "labels": labels}

    everything = [{"group": "*", "kind": "*"}]
    project = {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": everything,
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named("argocd-cm")},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named("argocd-rbac-cm")},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": named("argocd-secret"),
            "stringData": {"server.secretkey": "of the tests"},
        },
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": named("default"), "spec": project},
    ]
