"""What the installers in this directory share: one at a time, all or nothing, and errors without a traceback."""

from __future__ import annotations

import contextlib
import fcntl
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


class InstallError(Exception):
    """Something that whoever runs the installer has to mend."""


@contextlib.contextmanager
def lock(target: Path) -> Iterator[None]:
    """Let one process at a time work on ``target``; the others wait."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, directory: Path | None = None) -> str:
    """Run ``command`` quietly and return its stdout; all it said becomes the error when it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=env, cwd=directory, check=True, capture_output=True, text=True)
    except OSError as error:
        raise InstallError(f"{words[0]} can't be run: {error}") from error
    except subprocess.CalledProcessError as error:
        said = f"{error.stdout}{error.stderr}".strip()
        raise InstallError(f"{shlex.join(words)} failed with exit status {error.returncode}:\n{said}") from error
    return done.stdout


def say(message: str) -> None:
    """Tell a person on stderr: stdout is for what a caller reads."""
    print(message, file=sys.stderr, flush=True)


def main_guard(main: Callable[[], None]) -> None:
    """Run ``main`` and turn what the user can mend into a message and exit status 1."""
    try:
        main()
    except InstallError as error:
        say(f"Error: {error}")
        sys.exit(1)
