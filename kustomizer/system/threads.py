"""Threads that wait for programs, and stop with the user's Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from kustomizer.system import processes


@contextmanager
def threads(most: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of at most ``most`` threads, which have all ended where the context ends.

    Where the user interrupts that, the programs that they wait for are stopped, and no other is started. One that is in
    the terminal's own group, as kubectl, hears the interrupt itself.
    """
    with ThreadPoolExecutor(most) as pool:
        try:
            yield pool
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop_all()
            raise
