"""The journal: real processes that write at once, and are killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests import sites
from tests.control_plane.journal import Event, Journal, read_events

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import os, signal, sys
from pathlib import Path
from tests.control_plane.journal import Journal
journal = object.__new__(Journal)
journal.path = Path(sys.argv[1])
for number in range(500):
    journal.write("sent", task=f"{sys.argv[2]}-{number}", queue="q" * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_keeps_the_lines_of_processes_that_write_at_once_and_are_killed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(journal.path), name], cwd=sites.ROOT) for name in "ab"
    ]

    assert [writer.wait() for writer in writers] == [-signal.SIGKILL] * 2
    assert {event.task for event in journal.read()} == {f"{name}-{number}" for name in "ab" for number in range(500)}


def test_is_read_in_the_order_of_time_without_a_line_that_is_being_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write("finished", at=2.0, task="a")
    journal.write("sent", at=1.0, task="a", countdown=3.0)
    half = json.dumps({"at": 0.5, "event": "sent"})

    assert read_events(journal.path.read_text() + half) == [
        Event(at=1.0, event="sent", task="a", countdown=3.0),
        Event(at=2.0, event="finished", task="a"),
    ]
    assert read_events(half) == []
