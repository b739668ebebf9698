"""How many examples are tried: a tenth in the quick tests of what `make test` has Hypothesis try.

A test that takes more than others says how many in `make test`: ``@settings(max_examples=examples(1000))``. None has a
deadline, and none is refused for taking long: a busy machine is not a mistake. Where the cases are written down, and
all of them take seconds, the quick tests take a few: ``sample(CASES)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
THOROUGH = 100

for name, count in {"thorough": THOROUGH, "quick": THOROUGH // 10}.items():
    settings.register_profile(name, max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def choose(profile: str) -> None:
    """Use a profile from now on; what a test module says of itself is read after that."""
    settings.load_profile(profile)


def examples(thorough: int) -> int:
    """Return how many examples to try where `make test` tries ``thorough``."""
    return max(1, thorough * settings().max_examples // THOROUGH)


def sample(cases: Iterable[T]) -> list[T]:
    """Return the cases, in the quick tests every fifth of them."""
    return list(cases)[:: 1 if examples(THOROUGH) == THOROUGH else 5]
