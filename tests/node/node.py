"""A node: a real kubelet and containerd, which can be switched off and on again."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.node.images import PAUSE
from tests.node.machine import PLUGINS, hierarchies, kill_group
from tests.node.network import DNS, DOMAIN, add_address, node_address, plugins
from tests.parts import TOOLS, present, program
from tests.processes import PATIENCE
from tests.sites import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tests.control_plane.cluster import Cluster

KUBELET = TOOLS / "control-plane" / "node" / "kubelet"
FIRST_PORT = 10250
# In the node's own group from its first moment: all that it starts is in it, too, until it is a container.
_IN_GROUP = 'for group in $1; do echo $$ >"$group/cgroup.procs"; done; shift; exec "$@"'
_CONTAINERD = """
version = 2
root = "{root}"
state = "{state}"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # A process without CAP_SYS_RESOURCE can't lower it, and runc ends with "can't get final child's PID from pipe".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{network}"
"""


class Node:
    """A node; ``start`` and ``switch_off`` as often as a test wants."""

    def __init__(self, cluster: Cluster, directory: Path, group: str, number: int, images: Path) -> None:
        self.name = f"node-{number}"
        self._cluster = cluster
        self._directory = directory / self.name
        self._images = images
        self._group = f"{group}/{self.name}"
        self._port = FIRST_PORT + number
        self._address = node_address(number)
        # Short: a socket's path has 107 characters at most. On a real machine it is empty after a start.
        self._state = Path("/run") / self.name
        self._socket = self._state / "containerd.sock"
        self._processes: list[subprocess.Popen[bytes]] = []
        (self._directory / "network").mkdir(parents=True)
        (self._directory / "network" / "10-pods.conflist").write_text(plugins(directory / "addresses"))
        add_address(self._address)
        self._configure()
        self._has_images = False

    def start(self) -> None:
        """Switch it on, and wait until the API server has it as ready."""
        for hierarchy in hierarchies():
            (hierarchy / self._group / "system").mkdir(parents=True, exist_ok=True)
            _inherit_cpus(hierarchy, self._group)
        self._state.mkdir()
        self._start("containerd", [program("containerd"), f"--config={self._directory / 'containerd.toml'}"])
        self._until(self._socket.exists, "containerd")
        if not self._has_images:
            self._until(self._import, "containerd")
            self._has_images = True
        kubelet: list[str | Path] = [present(KUBELET), f"--config={self._directory / 'kubelet.json'}"]
        kubelet += [f"--kubeconfig={self._cluster.kubeconfig}", f"--root-dir={self._directory / 'kubelet'}"]
        kubelet += [f"--hostname-override={self.name}", f"--node-ip={self._address}", "--v=2"]
        self._start("kubelet", kubelet)
        self._until(self.is_ready, "kubelet")

    def switch_off(self) -> None:
        """Kill all of it at once, as when its power fails; what isn't on its disk is gone."""
        for _ in range(10):
            groups = [hierarchy / self._group for hierarchy in hierarchies()]
            if not sum(kill_group(Path(at)) for group in groups for at, _, _ in os.walk(group)):
                break
            time.sleep(0.2)
        for process in self._processes:
            self._cluster.keeper.kill(process)
        self._processes.clear()
        below = (str(self._state), str(self._directory))
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in reversed([path for path in mounts if path.startswith(below)]):
            run("umount", "--lazy", mount)
        shutil.rmtree(self._state)

    def is_ready(self) -> bool:
        """Say whether the API server has it as ready, and nothing keeps pods from it."""
        items = self._cluster.request("GET", "/api/v1/nodes")["items"]
        for item in items:
            if item["metadata"]["name"] == self.name:
                conditions = {each["type"]: each["status"] for each in item["status"].get("conditions", ())}
                return conditions.get("Ready") == "True" and not item["spec"].get("taints")
        return False

    def log(self, name: str) -> Path:
        """Return where "containerd" or "kubelet" writes what it says."""
        return self._directory / f"{name}.log"

    def _start(self, name: str, command: Sequence[str | Path]) -> None:
        groups = " ".join(str(hierarchy / self._group / "system") for hierarchy in hierarchies())
        command = ["sh", "-c", _IN_GROUP, "sh", groups, *command]
        env = {"PATH": os.environ["PATH"], "HOME": str(self._directory)}
        self._processes.append(self._cluster.keeper.start(command, log=self.log(name), env=env))

    def _import(self) -> bool:
        try:
            run(program("ctr"), f"--address={self._socket}", "--namespace=k8s.io", "images", "import", self._images)
        except RuntimeError as error:
            # It has made its socket, and isn't there yet.
            if "Unavailable" in str(error) or "connection refused" in str(error):
                return False
            raise
        return True

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.log(what).read_text()[-4000:]
            assert all(process.poll() is None for process in self._processes), self.log(what).read_text()[-4000:]
            time.sleep(0.2)

    def _configure(self) -> None:
        text = _CONTAINERD.format(
            root=self._directory / "containerd",
            state=self._state / "containerd",
            socket=self._socket,
            pause=PAUSE,
            plugins=PLUGINS,
            network=self._directory / "network",
        )
        (self._directory / "containerd.toml").write_text(text)
        configuration = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self._address,
            "port": self._port,
            "healthzPort": 0,
            "authentication": {"webhook": {"enabled": False}, "x509": {"clientCAFile": str(self._cluster.authority)}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self._socket}",
            "clusterDNS": [DNS],
            "clusterDomain": DOMAIN,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self._group}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            # The disk is the machine's, and others fill it.
            "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            # Each kubelet removes the logs of pods that it doesn't know.
            "podLogsDir": str(self._directory / "pods"),
            "volumePluginDir": str(self._directory / "plugins"),
        }
        (self._directory / "kubelet.json").write_text(json.dumps(configuration))


def _inherit_cpus(hierarchy: Path, group: str) -> None:
    """Give a new group of cgroup v1's cpuset the processors of the one above, without which no process can join."""
    above = hierarchy
    for part in (*Path(group).parts, "system"):
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (above / part / name).exists() and not (above / part / name).read_text().strip():
                (above / part / name).write_text((above / name).read_text())
        above /= part
