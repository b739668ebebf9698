"""Servers that a test starts: waited for until they answer, and gone afterwards, also when the test fails."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path


PATIENCE = 300
"""Seconds after which a test gives up to wait: no measure of anything, and long enough for the busiest machine."""


@contextlib.contextmanager
def answering(process: subprocess.Popen[bytes], log: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    """Wait for ``process`` to answer, and kill it in the end; ``log`` holds what it says meanwhile."""
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()
