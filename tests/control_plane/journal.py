"""What happened to each task, in a file that outlives whoever writes into it.

A line is an event, in JSON, appended by one call of ``write`` to a file opened with O_APPEND: lines of several
processes don't mix, and a process that is killed right afterwards has written it all the same.
tests/edx_platform/load writes the tasks' own events in this form.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Event(Record):
    """Something that happened, at real seconds since the epoch."""

    at: float
    event: str
    """sent, started, dying (about to be killed by the kernel, as it were), finished; killed (a pod, by a scenario)."""
    task: str = ""
    queue: str = ""
    pod: str = ""
    attempt: str = ""
    """Tells one run of a task from another."""
    countdown: float = 0.0
    """Real seconds that a task had to wait in any case."""


class Journal:
    """The journal of one run."""

    def __init__(self, path: Path) -> None:
        """Begin with an empty file; tasks don't make one, so that nobody writes into a run that is over."""
        self.path = path
        path.write_text("")

    def write(self, event: str, *, at: float | None = None, **more: Any) -> None:
        """Append an event, which happens now unless ``at`` says when it did."""
        line = json.dumps({"at": time.time() if at is None else at, "event": event, **more}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read(self) -> Sequence[Event]:
        """Return what has happened so far, in the order of time."""
        return read_events(self.path.read_text())


def read_events(text: str) -> Sequence[Event]:
    """Return the events of a journal; the last line counts only when it has its end."""
    whole = text[: text.rfind("\n") + 1]
    return sorted((Event(**json.loads(line)) for line in whole.splitlines()), key=lambda event: event.at)
