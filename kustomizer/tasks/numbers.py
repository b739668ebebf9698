"""What was measured of a task: how often it ran, how long, how often it failed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kustomizer.record import Record

HOUR = 3600
DAY = 86400
_WHOLE = 100
"""From here on digits behind the point say nothing."""


class RunTime(Record):
    """How many seconds a task ran; a histogram tells only between which two of its bounds that is."""

    least: float
    most: float | None = None
    """None where it is longer than the histogram tells."""

    def __str__(self) -> str:
        if self.most is None:
            return f"over {duration(self.least)}"
        if self.most == self.least:
            return duration(self.most)
        return f"{duration(self.least)} to {duration(self.most)}" if self.least else f"up to {duration(self.most)}"

    @property
    def short(self) -> str:
        """The same in one word, for a table: ``10-30min``, ``<0.1s``, ``>2h``."""
        least, most = (duration(bound or 0).replace(" ", "") for bound in (self.least, self.most))
        if self.most is None:
            return f">{least}"
        if self.most == self.least:
            return most
        if not self.least:
            return f"<{most}"
        unit = most.lstrip("0123456789.")
        return f"{least.removesuffix(unit)}-{most}" if least.lstrip("0123456789.") == unit else f"{least}-{most}"


class Numbers(Record):
    """What was measured of one task."""

    per_day: float
    """Runs that ended, well or not, by the days that were covered."""
    runs: int
    failed: int
    seconds: float
    """The time that all runs that succeeded took together."""
    median: RunTime | None = None
    p95: RunTime | None = None
    longest: RunTime | None = None
    ran_on: str = ""
    """The worker on which most runs were, by the queue that its name has in it; empty where that doesn't tell."""
    hours: Sequence[float] = ()
    """The seconds of the runs that ended in each hour that was covered, the oldest first."""


class Measured(Record):
    """Where numbers are from, and of how much time."""

    source: str
    days: float
    """The days that were asked for and had samples."""
    window: float
    """The days that were asked for."""
    top_bucket: float | None = None
    """The longest run time that the histogram tells apart, in seconds."""

    def __str__(self) -> str:
        end = f"; run times above {duration(self.top_bucket)} aren't told apart" if self.top_bucket else ""
        return f"{self.source}: {span(self.days)} of the last {span(self.window)}{end}"


# Tutor's --hostname, and that of its copies.
NODE = r".*\b(edx\.(?:lms|cms)\.core\.[^.@]+)[.@].*"
"""Matches the name of a worker's node; its group is the queue in it."""


def queue_of_node(name: str) -> str:
    """Return the queue in the name of a worker's node, empty where there is none."""
    found = re.fullmatch(NODE, name)
    return found[1] if found else ""


def service_of(queue: str) -> str:
    """Return the service in a queue's name, empty where there is none."""
    return queue.split(".")[1] if queue.startswith("edx.") else ""


def duration(seconds: float) -> str:
    """Return a time as people say it: ``0.2 s``, ``45 s``, ``12 min``, ``2 h``."""
    for size, unit in ((HOUR, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def span(days: float) -> str:
    """Return a time of hours or days: ``6.5 days``, ``90 min``."""
    return f"{days:.3g} days" if days >= 2 else duration(round(days * DAY))  # noqa: PLR2004 - the plural


def amount(number: float) -> str:
    """Return a number as people say it: ``0.14``, ``7.5``, ``12,345``."""
    return f"{number:,.0f}" if number >= _WHOLE else f"{number:.2g}"


def at_share(values: Sequence[float], share: float) -> float:
    """Return the value below or at which a ``share`` of the sorted ``values`` is."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
