"""GitHub's workflows, run by act on this machine itself: what a job gets of GitHub's is a stand-in of actions/."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

from tests import parts, sites

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACTIONS = sites.ROOT / "tests" / "runners" / "actions"
STAND_INS = {
    "actions/cache@v5": ACTIONS / "cache",
    "actions/checkout@v6": ACTIONS / "checkout",
    "actions/setup-go@v6": ACTIONS / "setup-go",
    "actions/setup-python@v6": ACTIONS / "setup-python",
    "actions/upload-artifact@v6": ACTIONS / "upload-artifact",
    "github/codeql-action@v4": ACTIONS / "codeql-action",
}
# What an action of this repository is used with.
FOLDERS = ("diff-action", "kustomizer")
FILES = ("LICENSE", "README.md", "pyproject.toml")


def program() -> Path:
    """Return act, as `make parts` builds it."""
    return parts.present(parts.TOOLS / "act" / "act")


class Run(NamedTuple):
    """How a run of a workflow ended."""

    returncode: int
    log: str


class Act(NamedTuple):
    """A checkout whose workflows are run, and what the runs share."""

    checkout: Path
    """What is checked out in it is what a run is for."""
    scratch: Path
    environment: Mapping[str, str]
    """Of act itself, and so of the steps."""

    def run(
        self,
        event: str,
        *,
        workflow: str = "",
        payload: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        actions: Mapping[str, Path] | None = None,
    ) -> Run:
        """Run every workflow of the checkout that starts at ``event``, or one of them."""
        (self.scratch / "event.json").write_text(json.dumps(payload or {}))
        given = {"ORIGIN": str(self.scratch / "origin.git"), "ARTIFACTS": str(self.artifacts), **(env or {})}
        done = subprocess.run(
            [
                str(program()),
                event,
                *(f"--platform={image}=-self-hosted" for image in ("ubuntu-latest", "ubuntu-24.04")),
                f"--workflows=.github/workflows/{workflow}",
                "--no-skip-checkout",
                "--no-cache-server",
                "--artifact-server-addr=127.0.0.1",
                "--pull=false",
                "--action-offline-mode",
                f"--action-cache-path={self.scratch / 'act'}",
                f"--eventpath={self.scratch / 'event.json'}",
                *(f"--env={name}={value}" for name, value in given.items()),
                *(f"--secret={name}={value}" for name, value in (secrets or {}).items()),
                *(f"--local-repository={name}={path}" for name, path in {**STAND_INS, **(actions or {})}.items()),
            ],
            cwd=self.checkout,
            env={**self.environment, "XDG_CACHE_HOME": str(self.scratch / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return Run(done.returncode, done.stdout)

    @property
    def artifacts(self) -> Path:
        """Where the stand-ins put what is uploaded, in a directory by its name."""
        return self.scratch / "artifacts"


def our_action(directory: Path) -> Path:
    """Copy what GitHub would fetch of this repository for its action."""
    for folder in FOLDERS:
        shutil.copytree(sites.ROOT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(sites.ROOT / name, directory)
    return directory
