"""What starts programs leaves none of them behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import sites
from tests.control_plane.keeper import Keeper

SECONDS = 120
# A program that ignores what asks it to stop, with a child that does, too.
STUBBORN = ("sh", "-c", "trap '' TERM HUP; sleep 600 & echo $! >child; wait")
ENV = {"PATH": os.environ["PATH"]}
PARENT = """
import sys, time
from pathlib import Path
from tests.control_plane.keeper import Keeper

directory = Path(sys.argv[1])
with Keeper() as keeper:
    process = keeper.start(sys.argv[2:], log=directory / "log", env={"PATH": "/usr/bin:/bin"}, cwd=directory)
    while not (directory / "child").exists():
        time.sleep(0.01)
    print(process.pid, flush=True)
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Say whether there is such a process; one that is over and that nobody has asked about isn't running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_gone(*pids: int) -> None:
    deadline = time.monotonic() + SECONDS
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "something is still running"
        time.sleep(0.02)


def child(directory: Path) -> int:
    deadline = time.monotonic() + SECONDS
    while not (path := directory / "child").exists() or not path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def test_nothing_is_left_when_a_test_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Keeper() as keeper:
        process = keeper.start(STUBBORN, log=tmp_path / "log", env=ENV, cwd=tmp_path)
        grandchild = child(tmp_path)
        raise RuntimeError("a test")

    wait_gone(process.pid, grandchild)


def test_nothing_is_left_when_the_test_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), *STUBBORN], cwd=sites.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        grandchild = child(tmp_path)
        assert is_running(pid)
        assert is_running(grandchild)
        parent.kill()

    wait_gone(pid, grandchild)


def test_what_ended_before_is_left_alone(tmp_path: Path) -> None:
    """Its process group's number may be somebody else's by then."""
    with Keeper() as keeper:
        first = keeper.start(["true"], log=tmp_path / "log", env=ENV)
        first.wait()
        keeper.kill(first)
        second = keeper.start(["sleep", "600"], log=tmp_path / "log", env=ENV)
        assert is_running(second.pid)

    wait_gone(second.pid)


def test_what_was_added_to_a_file_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n127.0.0.1 redis\n127.0.0.2 other\n")
    with Keeper() as keeper:
        keeper.restore(path, "127.0.0.1 redis")

    assert path.read_text() == "127.0.0.1 localhost\n127.0.0.2 other\n"
