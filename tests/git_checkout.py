"""A Git repository of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GIT = shutil.which("git") or "git"
_WHO = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(directory: Path, *arguments: str) -> None:
    """Run git in ``directory``, which needn't know anybody by name."""
    command = [GIT, "-C", str(directory), "-c", "init.defaultBranch=main", *arguments]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **_WHO})


def commit(directory: Path) -> None:
    """Commit all of the working tree."""
    git(directory, "add", "--all")
    git(directory, "commit", "--allow-empty", "--message", "state")
