"""What a scenario is: tasks that are sent, things that are done meanwhile, and when it is over.

All times are those of the site; the machine's are shorter by the time factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.record import Record
from tests.control_plane import emissions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.control_plane.run_site import RunningSite

SECOND, MINUTE = 1.0, 60.0
LMS_DEFAULT, LMS_HIGH, LMS_HIGH_MEM = (f"edx.lms.core.{variant}" for variant in ("default", "high", "high_mem"))
CMS_LOW = "edx.cms.core.low"
BACKGROUND, BACKGROUND_EVERY, BACKGROUND_SECONDS = "background", 2 * MINUTE, 1 * SECOND
LOSS = (emissions.UPSTREAM, emissions.OURS)
"""The sites that most scenarios compare."""


class Message(Record):
    """A task that is sent at a time, and takes a time."""

    at: float
    queue: str
    seconds: float
    countdown: float = 0.0
    dies: str = ""
    """"once" or "always": its process is killed as by the kernel for want of memory."""


class Step(Record):
    """Something that is done to the site while it works."""

    at: float
    what: str
    act: Callable[[RunningSite], None]


class Scenario(Record):
    """A load, and what befalls the site under it."""

    key: str
    title: str
    messages: Sequence[Message]
    steps: Sequence[Step] = ()
    sites: Sequence[str] = LOSS
    begins_with: str = ""
    """The site that runs at first, where it isn't the one that is looked at."""
    background: bool = True
    """Have a task on the LMS's default queue now and then: some worker looks for what others left behind."""
    every_worker: bool = False
    """Run all workers of the site, not only those of the queues that are sent to."""
    limit: float = 90 * MINUTE
    """When it is over at the latest, and what isn't finished is lost: time for a message to come back and be done."""
    watch: float = 2 * MINUTE
    """It is over earlier when for so long nothing runs and Redis has no message: nothing can come of it any more."""

    @property
    def queues(self) -> Sequence[str]:
        """The queues that are sent to, but for the background."""
        return sorted({message.queue for message in self.messages})


def each(
    count: int, queue: str, seconds: float, *, every: float = 0.0, at: float = 0.0, **more: float
) -> list[Message]:
    """Return messages that are sent one after the other, ``every`` so many seconds, the first one ``at``."""
    countdown = more.get("countdown", 0.0)
    return [
        Message(at=at + number * every, queue=queue, seconds=seconds, countdown=countdown) for number in range(count)
    ]
