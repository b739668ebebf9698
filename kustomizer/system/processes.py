"""Runs other programs and waits for them, without `subprocess`, `tempfile` and `shutil`.

To import these takes as long as the function takes to build a small site, and little of them is needed.
"""

from __future__ import annotations

import os

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

# On Linux and macOS; `import signal` makes enumerations first.
_SIGPIPE, _SIGTERM = 13, 15


class Scratch:
    """A temporary directory that only this user can read. It is removed when the context ends."""

    def __init__(self) -> None:
        place = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the directory in it is ours alone, or isn't made
        self.path = f"{place}/tutor-kustomizer-{os.getpid()}-{os.urandom(8).hex()}"

    def __enter__(self) -> Self:
        os.mkdir(self.path, mode=0o700)  # noqa: PTH102 - pathlib costs 5 ms to import
        return self

    def __exit__(self, *_: object) -> None:
        for directory, directories, files in os.walk(self.path, topdown=False):
            for name in files:
                os.unlink(f"{directory}/{name}")  # noqa: PTH108
            for name in directories:
                path = f"{directory}/{name}"
                (os.unlink if os.path.islink(path) else os.rmdir)(path)  # noqa: PTH114
        os.rmdir(self.path)  # noqa: PTH106


class Finished(Record):
    """The result of a program that has ended."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def stderr_text(self) -> str:
        """What the program wrote to stderr, as text."""
        return self.stderr.decode(errors="replace")


class Running:
    """A running program. Its output goes to files in a directory, so that no full pipe can stop it."""

    def __init__(self, command: Sequence[str], directory: str, *, env: Mapping[str, str] | None = None) -> None:
        """Start ``command``. Raises OSError where it can't be run."""
        self._files = [f"{directory}/{os.urandom(8).hex()}" for _ in ("stdout", "stderr")]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._pid = os.posix_spawnp(
            command[0],
            list(command),
            os.environ if env is None else env,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1 + at, file, flags, 0o600) for at, file in enumerate(self._files)],
            setsigdef=[_SIGPIPE],  # Python ignores it, and the program would inherit that
        )
        self._status: int | None = None

    def wait(self) -> Finished:
        """Wait until the program ends. An exception meanwhile, the user's Ctrl-C say, stops the program."""
        try:
            self._ended(0)
        except BaseException:
            self.stop()
            raise
        stdout, stderr = map(read_file, self._files)
        return Finished(status=self._status or 0, stdout=stdout, stderr=stderr)

    def ends_within(self, seconds: float) -> bool:
        """Wait for ``seconds`` and tell whether the program ended; if it didn't, stop it."""
        import time  # noqa: PLC0415 - see above

        end = time.monotonic() + seconds
        while not self._ended(os.WNOHANG):
            if time.monotonic() > end:
                self.stop()
                return False
            time.sleep(0.01)
        return True

    def stop(self) -> None:
        """Stop the program if it is still running."""
        if not self._ended(os.WNOHANG):
            os.kill(self._pid, _SIGTERM)
            self._ended(0)

    def _ended(self, options: int) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self._pid, options)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is not None


def which(name: str) -> str | None:
    """Return the executable ``name`` on PATH, None where there is none."""
    for directory in os.get_exec_path():
        path = f"{directory or '.'}/{name}"
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    return None


def read_file(path: str) -> bytes:
    """Return the bytes of a file."""
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
