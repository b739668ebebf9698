"""What `-v` tells on stderr: each program that is run, and how long it takes."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _Voice:
    """Whether there is anybody to listen: one switch for the process, as the threads that build side by side share."""

    on = False


def set_verbose(on: bool) -> None:
    """Switch it on or off."""
    _Voice.on = on


class told:  # noqa: N801 - reads as what it does; contextlib's way costs `build` two milliseconds
    """Tell of ``command``, which runs meanwhile, with the ``env`` that is added to the user's own.

    The caller makes sure that neither holds a secret.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._env = env or {}
        self._words = ""
        self._start = 0.0

    def __enter__(self) -> None:
        if _Voice.on:
            import shlex  # noqa: PLC0415 - see above

            added = [f"{name}={shlex.quote(value)}" for name, value in self._env.items()]
            self._words = shlex.join(map(str, self._command))
            _say(" ".join(["run:", *added, self._words]))
            self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        if self._words:
            _say(f"{time.monotonic() - self._start:.2f} s: {self._words}")


def _say(line: str) -> None:
    # In one write, so that lines of several threads don't mix.
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
