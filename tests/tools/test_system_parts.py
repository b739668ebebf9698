"""What only a system package can give: `make parts` installs it as root, and says it in one line to anybody else."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import sites

if TYPE_CHECKING:
    from pathlib import Path

# What is looked for, and the package of Debian that has it.
PROGRAMS = {
    "redis-server": "redis-server",
    "promtool": "prometheus",
    "etcd": "etcd-server",
    "openssl": "openssl",
    "node": "nodejs",
    "npm": "npm",
    "rsync": "rsync",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the one directory on PATH, with all that is looked for but etcd and node."""
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS.keys() - {"etcd", "node"}:
        command(tmp_path / "bin", name, "exit 1")
    return tmp_path / "bin"


def command(directory: Path, name: str, script: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)


def system_parts(path: Path) -> subprocess.CompletedProcess[str]:
    make = shutil.which("make")
    assert make is not None
    command_line = [make, "--no-print-directory", "-C", str(sites.ROOT), "system-parts"]
    environ = {"PATH": str(path), "LOG": str(path / "log")}
    return subprocess.run(command_line, env=environ, capture_output=True, text=True, check=False)


def test_root_gets_what_is_missing(path: Path) -> None:
    command(path, "id", "echo 0")
    command(path, "apt-get", 'echo "$*" >>"$LOG"')
    done = system_parts(path)
    assert (done.returncode, done.stdout) == (0, "Installing from Debian: etcd-server nodejs ...\n")
    update, install = (path / "log").read_text().splitlines()
    assert update.startswith("update")
    assert install == "install -qq --no-install-recommends etcd-server nodejs"


@pytest.mark.parametrize("has_apt", [True, False])
def test_anybody_else_is_told_in_one_line(has_apt: bool, path: Path) -> None:
    command(path, "id", "echo 1000" if has_apt else "echo 0")
    if has_apt:
        command(path, "apt-get", 'echo "$*" >>"$LOG"')
    done = system_parts(path)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert "the tests need etcd-server nodejs: apt-get install etcd-server nodejs" in said[0]
    assert not (path / "log").exists()


def test_nothing_is_done_where_all_is_there(path: Path) -> None:
    for name in ("etcd", "node"):
        command(path, name, "exit 1")
    done = system_parts(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_readme_names_them() -> None:
    needed = (sites.ROOT / "README.md").read_text().partition("| `make test` |")[2].partition("\n")[0]
    assert all(name in needed for name in ("redis-server", "prometheus", "etcd", "openssl", "Node", "rsync"))
