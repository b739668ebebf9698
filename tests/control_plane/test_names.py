"""Names that only the programs of a test resolve."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control_plane import names as names_module
from tests.control_plane.keeper import Keeper
from tests.control_plane.names import Names

ASK = "import socket; print(socket.gethostbyname('redis.no-such-namespace'), socket.gethostname())"


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    with Keeper() as keeper:
        yield keeper


def ask(names: Names, **options: str) -> list[str]:
    command = names.command([sys.executable, "-c", ASK], **options)
    return subprocess.check_output([str(word) for word in command], text=True).split()


def test_only_its_programs_know_the_name(tmp_path: Path, keeper: Keeper) -> None:
    before = names_module.SYSTEM.read_text()
    names = Names(tmp_path, keeper)
    names.add("redis.no-such-namespace", "127.0.0.7")

    assert ask(names, hostname="lms-worker-1") == ["127.0.0.7", "lms-worker-1"]
    assert names_module.SYSTEM.read_text() == before
    assert socket.gethostname() != "lms-worker-1"
    with pytest.raises(OSError, match=r"(?i)name"):
        socket.gethostbyname("redis.no-such-namespace")


def test_what_runs_already_learns_new_names(tmp_path: Path, keeper: Keeper) -> None:
    names = Names(tmp_path, keeper)
    wait = "import sys; sys.stdin.readline(); " + ASK
    command = [str(word) for word in names.command([sys.executable, "-c", wait])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        names.add("redis.no-such-namespace", "127.0.0.8")
        said, _ = process.communicate("\n")

    assert said.split()[0] == "127.0.0.8"


def test_hosts_file_where_there_are_no_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = tmp_path / "etc-hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    monkeypatch.setattr(names_module, "SYSTEM", hosts)
    monkeypatch.setattr(names_module, "_WAYS", (("false",), ("no-such-program",)))
    with Keeper() as keeper:
        names = Names(tmp_path, keeper)
        names.add("redis.openedx", "127.0.0.1")
        names.add("redis.openedx", "127.0.0.1")

        assert names.command(["true"]) == ["true"]
        assert hosts.read_text() == "127.0.0.1 localhost\n127.0.0.1 redis.openedx\n"
    assert hosts.read_text() == "127.0.0.1 localhost\n"


def test_says_what_it_takes(tmp_path: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "_WAYS", ())
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(PermissionError, match="takes root, or user namespaces"):
        Names(tmp_path, keeper)
