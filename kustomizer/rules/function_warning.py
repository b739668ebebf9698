"""What the function warned of when the overlay was built.

The function sees the configuration and Tutor's output together, and says what is valid and may still not be meant: a
queue that nobody takes by choice, a grace period that is shorter than a task may run, an object that selects Tutor's
worker alone. `tutor-kustomizer build` prints the same on stderr. In a file that was built the warnings aren't there any
more; `check` has them for an overlay. What another rule finds in the build itself, such as
[two-consumers](two-consumers.md), isn't repeated here; nor is that no worker would take a queue, where `diff` has
[lost-consumer](lost-consumer.md) for it.

**Severity:** that of the warning, **warning** or **info**.

**What to do:** what the message says, at the field that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import ModuleType

from kustomizer.errors import Problem
from kustomizer.rules import (
    eager_tasks,
    endless_init_container,
    grace_period,
    orphaned_queue,
    scale_to_zero,
    stopped_worker,
    two_consumers,
)
from kustomizer.site.model import Site

_UNCONSUMED = re.compile(r"after the split no worker would consume (.+?): ")


_ALIKE: Sequence[tuple[re.Pattern[str], ModuleType, str]] = (
    (_UNCONSUMED, orphaned_queue, "no worker consumes it"),
    (re.compile(r" consumes (\S+), too: chance decides"), two_consumers, "too: which of the two"),
    (re.compile(r"pods of (\S+) get \d+ s to finish a task, which Redis"), grace_period, "which Redis hands to"),
    (re.compile(r"pods of (\S+) are killed after \d+ s, before"), grace_period, "of the soft shutdown are over"),
    (re.compile(r"never ends: no pod of (.+) starts"), endless_init_container, "never ends"),
    (re.compile(r"that nothing routes go to (\S+), and no"), orphaned_queue, "no worker consumes it"),
    (re.compile(r" is set: (\S+) runs its tasks"), eager_tasks, "runs its tasks in its own processes"),
    (re.compile(r"alone takes (\S+) after the split"), stopped_worker, "alone takes"),
    (re.compile(r"tasks on the queues of (.+) wait for ever"), stopped_worker, "alone takes"),
    (re.compile(r"inFlight: Off lets KEDA scale (\S+) to zero"), scale_to_zero, "to zero when its queue is empty"),
)
"""What the function says of queues or of a Deployment, the rule that says the same of the build, and its words."""


def check(site: Site) -> Iterator[Problem]:
    """Find what the function said when the site was built, and no other rule says."""
    for warning in site.warnings:
        if not any(_is_said(warning, *alike, site) for alike in _ALIKE):
            yield warning


def _is_said(warning: Problem, pattern: re.Pattern[str], rule: ModuleType, words: str, site: Site) -> bool:
    found = pattern.search(warning.message)
    if found is None:
        return False
    said = [f" {problem.resource} {problem.message} " for problem in rule.check(site) if words in problem.message]
    return all(any(re.search(rf"\s{re.escape(name)}[\s,:]", text) for text in said) for name in found[1].split(", "))


def queues_without_worker(warning: Problem) -> set[str]:
    """Return the queues of which ``warning`` says that no worker takes them."""
    found = _UNCONSUMED.match(warning.message)
    return set(found.group(1).split(", ")) if found else set()
