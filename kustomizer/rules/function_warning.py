"""What the function warned of when the overlay was built.

The function sees the configuration and Tutor's output together, and says what is valid and may still not be meant: a
queue that nobody takes by choice, a grace period that is shorter than a task may run, an object that selects Tutor's
worker alone. `tutor-kustomizer build` prints the same on stderr. In a file that was built the warnings aren't there any
more; `check` has them for an overlay. Where `diff` has [lost-consumer](lost-consumer.md) for a queue, it doesn't repeat
the warning that no worker would take it.

**Severity:** that of the warning, **warning** or **info**.

**What to do:** what the message says, at the field that it names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.errors import Problem
    from kustomizer.site.model import Site

ID = "function-warning"

_UNCONSUMED = re.compile(r"after the split no worker would consume (.+?): ")


def check(site: Site) -> Iterable[Problem]:
    """Return what the function said when the site was built."""
    return site.warnings


def queues_without_worker(warning: Problem) -> set[str]:
    """Return the queues of which ``warning`` says that no worker takes them."""
    found = _UNCONSUMED.match(warning.message)
    return set(found.group(1).split(", ")) if found else set()
