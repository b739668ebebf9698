"""What the control plane itself promises: it listens on loopback only, under one directory, and ends as a whole."""

from __future__ import annotations

import ipaddress
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tests.control_plane.cluster import running_cluster
from tests.control_plane.test_keeper import wait_gone
from tests.docs.pages import commands, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.control_plane.cluster import Cluster

PROGRAMS = {"etcd", "kube-apiserver", "kube-controller-manager", "keda-operator", "keda-adapter", "keda-webhooks"}
LISTENING = "0A"


def test_loopback_only_and_nothing_left(tmp_path: Path) -> None:
    directory = tmp_path / "cluster"
    before = set(Path("/etc/hosts").read_text().splitlines())
    with running_cluster(directory) as cluster:
        cluster.name_address("redis.openedx")
        programs = {pid: name for pid, name in processes(directory) if name in PROGRAMS}
        assert set(programs.values()) == PROGRAMS
        listening = {(name, address) for pid, name in programs.items() for address in addresses(pid)}
        assert {name for name, _ in listening} == PROGRAMS - {"kube-controller-manager"}
        assert [found for found in listening if not ipaddress.ip_address(found[1]).is_loopback] == []
        assert cluster.kubeconfig.is_relative_to(directory)
        assert cluster.kubeconfig.stat().st_mode & 0o077 == 0

    wait_gone(*programs)
    assert not list(processes(directory))
    assert set(Path("/etc/hosts").read_text().splitlines()) == before


def test_what_the_page_asks_of_keda_is_there(cluster: Cluster) -> None:
    """docs/keda.md: how to see whether KEDA is installed, and that its metrics are nobody else's."""
    asked = [command for command in commands(page("keda")) if command.startswith("kubectl") and " get " in command]
    assert len(asked) == 3
    said = [cluster.kubectl(*shlex.split(command)[1:], check=False) for command in asked]
    assert [each.returncode for each in said] == [0, 0, 0], [each.stderr for each in said]
    assert "keda" in said[1].stdout
    missing = cluster.kubectl("get", "crd", "scaledobjects.example.com", check=False)
    assert "NotFound" in missing.stderr


def processes(directory: Path) -> Iterator[tuple[int, str]]:
    """Yield number and program of each process that names the directory, in its arguments or its environment."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            given = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            if str(directory).encode() in given:
                yield int(path.name), (path / "exe").readlink().name
        except OSError:
            continue


def addresses(pid: int) -> Iterator[str]:
    """Yield the address of each TCP socket that a process listens on."""
    held = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    for family, size, table in ((socket.AF_INET, 8, "tcp"), (socket.AF_INET6, 32, "tcp6")):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTENING and f"socket:[{columns[9]}]" in held:
                words = bytes.fromhex(columns[1][:size])
                # Four bytes at a time, in the order of the machine.
                packed = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
                yield socket.inet_ntop(family, packed)
