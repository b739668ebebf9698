"""How many examples Hypothesis tries: a tenth in the quick tests of what `make test` does.

A test that takes more than others says how many in `make test`: ``@settings(max_examples=examples(1000))``. None has a
deadline, and none is refused for taking long: a busy machine is not a mistake.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

THOROUGH = 100

for name, count in {"thorough": THOROUGH, "quick": THOROUGH // 10}.items():
    settings.register_profile(name, max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def choose(profile: str) -> None:
    """Use a profile from now on; what a test module says of itself is read after that."""
    settings.load_profile(profile)


def examples(thorough: int) -> int:
    """Return how many examples to try where `make test` tries ``thorough``."""
    return max(1, thorough * settings().max_examples // THOROUGH)
