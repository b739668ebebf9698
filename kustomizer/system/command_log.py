"""The log of `-v` on stderr: each program that is run, and how long it takes."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class _Verbosity:
    """Whether `-v` was given. All threads share one switch."""

    on = False


def set_verbose(on: bool) -> None:
    """Switch the log on or off."""
    _Verbosity.on = on


def is_verbose() -> bool:
    """Tell whether `-v` was given."""
    return _Verbosity.on


class logged:  # noqa: N801 - used like a function; contextlib's way costs `build` two milliseconds
    """Logs ``command``, which the body of the `with` statement runs, and what of ``env`` isn't the user's own.

    The caller makes sure that neither holds a secret.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._env = env or {}
        self._line = ""
        self._start = 0.0

    def __enter__(self) -> None:
        if _Verbosity.on:
            import shlex  # noqa: PLC0415 - see above

            added = [
                f"{name}={shlex.quote(value)}" for name, value in self._env.items() if os.environ.get(name) != value
            ]
            self._line = shlex.join(map(str, self._command))
            _write(" ".join(["run:", *added, self._line]))
            self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        if self._line:
            _write(f"{time.monotonic() - self._start:.2f} s: {self._line}")


def _write(line: str) -> None:
    # In one write, so that lines of several threads don't mix.
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
