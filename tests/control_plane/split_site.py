"""A site whose env/ holds the split: a real Tutor with the plugin on, and a real API server that it applies env/ to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import sites
from tests.control_plane.api import run_command
from tests.control_plane.exec_kubectl import exec_kubectl
from tests.tutor_plugin.real_tutor import plugin_environment

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

HEAD = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: celery-workers}\n"
SPLIT = "  workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}\n"
SCALED = f"spec:\n  defaults: {{keda: {{enabled: true, pollingInterval: 1}}}}\n{SPLIT}"


class SplitSite:
    """A Tutor root without env/, whose celery-workers.yaml has KEDA scale every worker."""

    def __init__(self, directory: Path, cluster: Cluster, version: str, *, config: str = "") -> None:
        """``config`` names the site of tests.sites whose config.yml it has, which tells its selectors and passwords."""
        self.version = version
        directory.mkdir(parents=True, exist_ok=True)
        self._environ = plugin_environment(directory, version)
        kubectl = cluster.environ["PATH"].partition(os.pathsep)[0]
        self._environ |= {
            "PATH": f"{kubectl}{os.pathsep}{self._environ['PATH']}",
            "KUBECONFIG": cluster.environ["KUBECONFIG"],
            "TUTOR_PLUGINS_ROOT": str(directory / "plugins"),
            "COLUMNS": "200",
        }
        self.root = Path(self._environ["TUTOR_ROOT"])
        if config:
            shutil.copyfile(sites.site(config).parent / "config.yml", self.root / "config.yml")
        self.configure(SCALED)

    def configure(self, spec: str) -> None:
        """Write celery-workers.yaml."""
        (self.root / "celery-workers.yaml").write_text(HEAD + spec)

    def tutor(self, *arguments: str, **how: Any) -> str:
        """Run Tutor; returns all it says, raises RefusedError unless it ends with the ``status`` of ``how``."""
        return run_command([sites.tutor(self.version), *arguments], self._environ, **how)

    def reach_pods(self) -> None:
        """Let `kubectl exec` reach the processes of a kubelet's pods."""
        first, _, rest = self._environ["PATH"].partition(os.pathsep)
        place = exec_kubectl(self.root.parent / "kubectl", Path(first) / "kubectl")
        self._environ["PATH"] = os.pathsep.join([str(place), first, rest])

    def enable(self) -> None:
        """Switch the plugin on, and save env/, which Tutor 16 and 17 don't do by themselves then."""
        self.tutor("plugins", "enable", "kustomizer")
        if self.version in {"16", "17"}:
            self.tutor("config", "save")
