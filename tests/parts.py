"""What tests need besides Python, as `make parts` gets it: a test that asks for something that isn't there is left out.

Nothing else marks such a test. ``tests/nothing_hidden.py`` says how many were left out, and in continuous integration
has them fail.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

# Where a program may be that isn't on PATH.
BUILT = (TOOLS / "control-plane" / "kubernetes",)


class MissingPartError(FileNotFoundError):
    """A part isn't there, or isn't to be used."""


class _Wanted:
    """Whether tests may use parts: not in the quick tests, which run without them whether they are there or not."""

    allowed = True


def leave_out() -> None:
    """Have every part be missing from now on."""
    _Wanted.allowed = False


def installers() -> None:
    """Leave a test that has pip, pipx and uv install something to `make test`: it takes many seconds."""
    if not _Wanted.allowed:
        raise MissingPartError("installers run for long: run `make test`")


def present(path: Path) -> Path:
    """Return a part's ``path``, or say how to get it."""
    if not (_Wanted.allowed and path.exists()):
        raise MissingPartError(f"{path} is missing: run `make parts`")
    return path


def program(name: str) -> str:
    """Return the path of a program that `make parts` builds or installs: ``redis-server``, ``kubectl``."""
    found = shutil.which(name) or next((str(path / name) for path in BUILT if (path / name).exists()), None)
    if not (_Wanted.allowed and found):
        raise MissingPartError(f"there is no {name}: run `make parts`")
    return found


_WAYS = (("unshare",), ("unshare", "--map-root-user"))


def first_process() -> tuple[str, ...]:
    """Return what starts a program as a container's first process is: the kernel keeps signals from it.

    The program is a child of what is started, and ends with it.
    """
    way = _first_process() if _Wanted.allowed else ()
    if not way:
        raise MissingPartError("a process namespace takes root, or user namespaces (unshare --map-root-user)")
    return way


@functools.cache
def _first_process() -> tuple[str, ...]:
    for way in _WAYS:
        command = (*way, "--pid", "--fork", "--kill-child", "--")
        try:
            done = subprocess.run([*command, "true"], check=False, capture_output=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return command
    return ()
