"""Ends the process as Ctrl-C ends a program."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


def interrupted() -> NoReturn:
    """Say that the command was aborted, and exit."""
    import signal  # noqa: PLC0415 - needed only here

    # A second Ctrl-C while the interpreter shuts down would print a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stderr:
        sys.stderr.write("Aborted!\n")
    sys.exit(EXIT_INTERRUPTED)
