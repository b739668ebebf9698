"""Starts programs and leaves none of them behind, also when what started them was killed.

A helper process holds the list of process groups. It sees its stdin end when its parent ends, whichever way, and then
kills every group that is still on the list: what ends a test's programs is the same when all goes well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS = 120
"""How long the helper may take to end everything."""


class Keeper:
    """What starts programs; as a context it ends them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Run as a file and isolated: it has to start quickly, and needs nothing of the tests.
        self._helper = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._helper.stdin
        self._helper.stdin.close()
        self._helper.wait(SECONDS)
        for process in self._processes:
            process.wait(SECONDS)

    def start(
        self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str], cwd: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in a process group of its own; what it says is added to ``log``."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._say(f"+{process.pid}")
        self._processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Leave nothing of the program's process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # From here on the number may belong to somebody else.
        self._say(f"-{process.pid}")
        self._processes.remove(process)

    def restore(self, path: Path, text: str) -> None:
        """Let the helper take ``text`` out of a file in the end."""
        self._say(f"r{path}\t{text}")

    def _say(self, line: str) -> None:
        assert self._helper.stdin
        with self._lock:
            self._helper.stdin.write(f"{line}\n")
            self._helper.stdin.flush()


def keep() -> None:
    """Read what is started and what has ended, and end the rest when nothing more can come."""
    groups: set[int] = set()
    changed: list[tuple[Path, str]] = []
    for line in sys.stdin:
        sign, rest = line[0], line[1:-1]
        if sign == "r":
            path, text = rest.split("\t", 1)
            changed.append((Path(path), text))
        else:
            (groups.add if sign == "+" else groups.discard)(int(rest))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for path, text in changed:
        path.write_text(path.read_text().replace(f"{text}\n", ""))


if __name__ == "__main__":
    keep()
