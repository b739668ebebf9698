"""Reads a Git repository without changing it: no worktree is added, the index isn't touched, no hook runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.system.processes import which

_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")

_SETTINGS = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
"""A directory of a checkout may look like a repository of its own, whose configuration names programs."""


class Repository(Record):
    """A checkout."""

    top: Path

    def commit(self, revision: str) -> str:
        """Return the commit that ``revision`` names. Raises UserError where there is none."""
        process = _git(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if process.returncode != 0:
            raise UserError.of(
                f"{revision!r} is no revision of {self.top}",
                remedy="Fetch it first; a CI job's checkout needs the whole history (fetch-depth: 0)",
            )
        return process.stdout.decode().strip()

    def check_out(self, commit: str, directory: Path) -> None:
        """Write the files of ``commit`` into ``directory``."""
        index = {"GIT_INDEX_FILE": str(directory.with_name(f"{directory.name}.index"))}
        for arguments in (["read-tree", commit], ["checkout-index", "--all", f"--prefix={directory}/"]):
            process = _git(self.top, *arguments, env=index)
            if process.returncode != 0:
                raise UserError.of(f"git can't read {commit}:\n{_words(process)}")

    def is_ancestor(self, revision: str, of: str) -> bool:
        """Tell whether ``revision`` is the commit ``of``, or one that led to it."""
        return _git(self.top, "merge-base", "--is-ancestor", revision, of).returncode == 0

    def text(self, commit: str, path: Path) -> str | None:
        """Return the text of a file, relative to the top, as of ``commit``; None where it isn't there, or no file."""
        process = _git(self.top, "cat-file", "blob", f"{commit}:{path.as_posix()}")
        return process.stdout.decode(errors="replace") if process.returncode == 0 else None

    def files(self) -> list[Path]:
        """Return the files of the working tree that Git doesn't ignore, relative to its top."""
        process = _git(self.top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return [Path(os.fsdecode(name)) for name in process.stdout.split(b"\0") if name]

    def ignores(self, path: Path) -> bool:
        """Tell whether a .gitignore excludes ``path``."""
        return _git(self.top, "check-ignore", "--quiet", "--", str(path)).returncode == 0

    def is_changed(self) -> bool:
        """Tell whether the working tree differs from its commit; ignored files don't count."""
        return bool(_git(self.top, "status", "--porcelain").stdout)


def repository(path: Path) -> Repository:
    """Return the repository that ``path``, a directory, is in. Raises UserError where there is none."""
    process = _git(path, "rev-parse", "--show-toplevel")
    if process.returncode != 0:
        raise UserError.of(f"{path} can't be read as a Git checkout: {_words(process)}")
    return Repository(top=Path(os.fsdecode(process.stdout.removesuffix(b"\n"))).resolve())


def _git(directory: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    git = which("git")
    if git is None:
        raise UserError.of("there is no git on PATH")
    # Git sets these for the hooks that it runs, and they would name the hook's repository.
    inherited = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    return subprocess.run(
        [git, *_SETTINGS, "-C", str(directory), *arguments],
        capture_output=True,
        check=False,
        env={**inherited, "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
    )


def _words(process: subprocess.CompletedProcess[bytes]) -> str:
    """Return what git says, without the secrets of its configuration, as in the address of a remote."""
    return without_secrets(process.stderr.decode(errors="replace").strip())
