"""How much more work a function has with a larger input, measured so that a busy machine makes no difference."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def calls(function: Callable[[], object]) -> int:
    """Return how many functions, Python's own among them, are called while ``function`` runs."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def seconds(function: Callable[[], object]) -> float:
    """Return the CPU time of ``function``, the shortest of three: for loops that Python's own functions contain."""
    times = []
    for _ in range(3):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)
