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
_SIGKILL, _SIGPIPE, _SIGTERM = 9, 13, 15
_GRACE = 2
"""Seconds that a program may take to stop."""
_MEGABYTE = 1_000_000
_LOOK_EVERY = 0.2
"""Seconds between two looks at what a program has written."""


_at_work: set[Running] = set()
_is_stopping = False


class Limits(Record):
    """How long a program may run, and how much it may write."""

    seconds: float = 600
    megabytes: float = 500


class LimitExceeded(Exception):  # noqa: N818 - whoever started the program says what is wrong
    """A program was stopped; the message says at which limit."""


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
    """A program at work; its output goes to files in a directory, so that no pipe can be full.

    It leads a process group, so that what it started is stopped with it.
    """

    def __init__(self, command: Sequence[str], directory: str, *, env: Mapping[str, str] | None = None) -> None:
        """Start ``command``. Raises OSError where it can't be run, KeyboardInterrupt behind a call of `stop_all`."""
        self._status: int | None = None
        self._directory = directory
        self._files = [f"{directory}/{os.urandom(8).hex()}" for _ in ("stdout", "stderr")]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._pid = os.posix_spawnp(
            command[0],
            list(command),
            os.environ if env is None else env,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1 + at, file, flags, 0o600) for at, file in enumerate(self._files)],
            setpgroup=0,
            setsigdef=[_SIGPIPE],  # which Python ignores, and so would the program
        )
        _at_work.add(self)
        if _is_stopping:
            self.stop()
            raise KeyboardInterrupt

    def wait(self, limits: Limits | None = None) -> Finished:
        """Wait for its end. Where the user interrupts that, or anything else does, the program is stopped.

        Raises LimitExceeded where it runs for too long, or writes too much into its directory.
        """
        try:
            if limits is None:
                self._ended(0)
            else:
                self._watch(limits)
        except BaseException:
            self.stop()
            raise
        stdout, stderr = map(read_file, self._files)
        return Finished(status=self._status or 0, stdout=stdout, stderr=stderr)

    def ends_within(self, seconds: float) -> bool:
        """Tell whether it ends in time; where it doesn't, or the user interrupts that, it is stopped."""
        has_ended = False
        try:
            has_ended = self._wait_for(seconds)
        finally:
            if not has_ended:
                self.stop()
        return has_ended

    def stop(self) -> None:
        """Stop it and what it started, if it is still running."""
        if not self._ended(os.WNOHANG):
            self.signal(_SIGTERM)
            self._wait_for(_GRACE)
            self.signal(_SIGKILL)
            self._ended(0)

    def signal(self, number: int) -> None:
        """Send a signal to it and what it started, where any of these is still there."""
        # The group exists as long as its leader isn't waited for, or another of it is there.
        try:  # noqa: SIM105 - contextlib is one more module to import at each build
            os.killpg(self._pid, number)
        except ProcessLookupError:
            pass

    def _watch(self, limits: Limits) -> None:
        import time  # noqa: PLC0415 - see above

        end = time.monotonic() + limits.seconds
        while not self._wait_for(_LOOK_EVERY):
            self._check_size(limits)
            if time.monotonic() > end:
                raise LimitExceeded(f"it ran for more than {limits.seconds:g} seconds")
        self._check_size(limits)

    def _check_size(self, limits: Limits) -> None:
        with os.scandir(self._directory) as entries:
            size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        if size > limits.megabytes * _MEGABYTE:
            raise LimitExceeded(f"it wrote more than {limits.megabytes:g} megabytes")

    def _wait_for(self, seconds: float) -> bool:
        """Wait for its end so long; tell whether it has ended."""
        import select  # noqa: PLC0415 - see above
        import time  # noqa: PLC0415

        end = time.monotonic() + seconds
        try:
            handle = os.pidfd_open(self._pid) if self._status is None else None
        except (AttributeError, OSError):
            handle = None  # not on Linux
        try:
            while not self._ended(os.WNOHANG) and (left := end - time.monotonic()) > 0:
                if handle is None:
                    time.sleep(0.01)
                else:
                    poll = select.poll()
                    poll.register(handle, select.POLLIN)
                    poll.poll(left * 1000)
        finally:
            if handle is not None:
                os.close(handle)
        return self._status is not None

    def _ended(self, options: int) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self._pid, options)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
                _at_work.discard(self)
        return self._status is not None


def stop_all() -> None:
    """Stop the programs that other threads wait for, and let none start: the user has interrupted this one."""
    import time  # noqa: PLC0415 - see above

    global _is_stopping  # noqa: PLW0603 - it holds for the process, which is about to end
    _is_stopping = True
    # What a program has started may go on when that has ended.
    stopped = set(_at_work)
    for number in (_SIGTERM, _SIGKILL):
        end = time.monotonic() + _GRACE
        for running in stopped | _at_work:
            running.signal(number)
        # The threads that wait for them take them out.
        while _at_work and time.monotonic() < end:
            time.sleep(0.01)


def which(name: str) -> str | None:
    """Return the executable ``name`` in an absolute directory of PATH, None where there is none."""
    for directory in os.get_exec_path():
        path = f"{directory}/{name}"
        # A relative directory would be one of whatever is reviewed.
        if directory.startswith("/") and os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    return None


def own_program(name: str) -> str:
    """Return the executable ``name`` of the environment that runs this, which needn't be on PATH; else its name."""
    import sys  # noqa: PLC0415 - builds look for nothing but kustomize

    path = f"{os.path.dirname(sys.executable)}/{name}"  # noqa: PTH120
    return path if os.access(path, os.X_OK) else name


def read_file(path: str) -> bytes:
    """Return the bytes of a file."""
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
