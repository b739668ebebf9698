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


def seconds(function: Callable[[], object], *, runs: int = 3) -> float:
    """Return the CPU time of ``function``, the shortest of ``runs``: for loops within Python's own functions."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def factor(function: Callable[[int], object], small: int, large: int) -> float:
    """Return how many times longer ``function`` takes with ``large`` than with ``small``.

    What takes less than 2 ms counts as that: a clock's noise isn't growth. Nor is what happens only once.
    """
    shorter = max(seconds(lambda: function(small)), 0.002)
    longer = seconds(lambda: function(large), runs=1)
    if longer > 2 * shorter * large / small:
        longer = min(longer, seconds(lambda: function(large), runs=1))
    return longer / shorter
