"""A pod of celery-restore-orphans: the emitted program as a process, with a token of its account as in a cluster."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from tests.control_plane.pod import FromApi, Worker
from tests.orphans_process import NAME, environ, laid_out

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EVERY = OLDER = 60
"""Seconds that the build states."""


class Restorer(Worker):
    """Its container; times are divided by ``TIME_FACTOR``."""

    def start(self, platform: Path, given: Mapping[str, str]) -> None:
        """Start the process; raises KeyError where a ConfigMap or Secret is missing, to be tried again."""
        shutil.rmtree(self._root, ignore_errors=True)
        factor = float(given["TIME_FACTOR"])
        account = self._account(self._root / "account")
        deployment = {"metadata": {"name": NAME}, "spec": {"template": {"spec": self._spec}}}
        source = FromApi(self._cluster, self.pod.namespace)
        made = laid_out(deployment, source, self._root, every=EVERY / factor, older=OLDER / factor, account=account)
        api = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self._cluster.port)}
        self.process = self._cluster.keeper.start(
            self._cluster.names.command(made.argv, hostname=self.pod.name),
            log=self.log,
            env=environ(made, api),
            cwd=self._root,
        )
        self.pod = self.pod._replace(pid=self.process.pid, started=self.pod.started or time.time())

    def notice_ready(self) -> None:
        """It has nothing to say of that."""
        self.pod = self.pod._replace(ready=self.pod.ready or self.pod.started)

    def _account(self, directory: Path) -> Path:
        """Return the files that a pod has of its ServiceAccount, which has to allow that."""
        name = self._spec["serviceAccountName"]
        path = f"/api/v1/namespaces/{self.pod.namespace}/serviceaccounts/{name}/token"
        request: dict[str, Any] = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self._cluster.request("POST", path, request)["status"]["token"]
        assert self._spec["automountServiceAccountToken"]
        directory.mkdir(parents=True)
        (directory / "token").write_text(token)
        (directory / "namespace").write_text(self.pod.namespace)
        shutil.copyfile(self._cluster.authority, directory / "ca.crt")
        return directory


def is_restorer(spec: Mapping[str, Any]) -> bool:
    """Say whether a pod is one of celery-restore-orphans."""
    return [given["name"] for given in spec["containers"]] == [NAME]
