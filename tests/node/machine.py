"""What a node needs of this machine, and what it must not leave on it: namespaces and control groups."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CGROUPS = Path("/sys/fs/cgroup")
PLUGINS = Path("/usr/lib/cni")
GROUP = "tutor-kustomizer-node"
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
# Everything of the node is in these: they end, with all that is mounted, addressed and started there, when this does.
NAMESPACES = (
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--ipc",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
SECONDS = 60


class UnfitError(Exception):
    """A node can't run on this machine; the text says what is missing, and what to do."""


def check() -> None:
    """Raise UnfitError for the first thing that is missing."""
    if os.geteuid() != 0:
        raise UnfitError("a kubelet needs root: run it as root, or in a virtual machine of your own")
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            raise UnfitError(f"there is no {program}: apt-get install {package} (Debian, Ubuntu)")
    for plugin in ("bridge", "host-local", "loopback"):
        if not (PLUGINS / plugin).exists():
            raise UnfitError(f"there is no {PLUGINS / plugin}: apt-get install containernetworking-plugins")
    if missing := [name for name in CONTROLLERS if name not in _controllers()]:
        raise UnfitError(f"{CGROUPS} has no {', '.join(missing)}: a container that may not have cgroups is no machine")
    for hierarchy in hierarchies():
        if not os.access(hierarchy, os.W_OK):
            raise UnfitError(f"{hierarchy} can't be written to: no cgroups can be made here")
    command = [*NAMESPACES, "sh", "-c", "ip link add name probe type bridge && ip link set probe up"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise UnfitError(f"no namespace with a bridge can be made here: {done.stderr.strip()}")


def hierarchies() -> Sequence[Path]:
    """Return where groups are made: one directory with cgroup v2, one for each controller with v1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted(path.parent for path in CGROUPS.glob("*/cgroup.procs"))


def _controllers() -> set[str]:
    if (CGROUPS / "cgroup.controllers").exists():
        return set((CGROUPS / "cgroup.controllers").read_text().split())
    return {path.name for path in hierarchies()}


@contextlib.contextmanager
def groups() -> Iterator[str]:
    """Make a control group in each hierarchy; its processes and it are gone afterwards. Gives its name."""
    name = f"{GROUP}-{os.getpid()}"
    try:
        yield name
    finally:
        for hierarchy in hierarchies():
            remove_group(hierarchy / name)


def remove_group(top: Path) -> None:
    """Kill what is in a control group and below it, and remove them."""
    deadline = time.monotonic() + SECONDS
    while top.exists():
        for directory, _, _ in os.walk(top, topdown=False):
            kill_group(Path(directory))
            # Busy until the kernel is done with the processes.
            with contextlib.suppress(OSError):
                Path(directory).rmdir()
        if top.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{top} can't be removed")
            time.sleep(0.05)


def kill_group(group: Path) -> int:
    """Send SIGKILL to every process in one control group; returns how many there were."""
    with contextlib.suppress(OSError):
        pids = [int(line) for line in (group / "cgroup.procs").read_text().split()]
        for pid in pids:
            # 0 is a process of a namespace that this one doesn't see into.
            with contextlib.suppress(ProcessLookupError):
                if pid:
                    os.kill(pid, signal.SIGKILL)
        return len(pids)
    return 0
