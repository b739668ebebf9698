"""What `-v` tells on stderr: each program that is run, and how long it takes."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Voice:
    """Whether there is anybody to listen: one switch for the process, as the threads that build side by side share."""

    on = False


def set_verbose(on: bool) -> None:
    """Switch it on or off."""
    _Voice.on = on


@contextmanager
def told(command: Sequence[str]) -> Iterator[None]:
    """Tell of ``command``, which runs meanwhile; who calls this sees to it that no secret is an argument."""
    if not _Voice.on:
        yield
        return
    words = shlex.join(map(str, command))
    _say(f"run: {words}")
    start = time.monotonic()
    try:
        yield
    finally:
        _say(f"{time.monotonic() - start:.2f} s: {words}")


def _say(line: str) -> None:
    # In one write, so that lines of several threads don't mix.
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
