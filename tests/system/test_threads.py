"""An interrupt ends threads that wait for programs, whatever these do."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

WAITS_FOR_FOUR = """\
import os, sys, time
from kustomizer.system.processes import Running, Scratch
from kustomizer.system.threads import threads

def run(number):
    return Running(["sh", "-c", f"touch started.{number}; " + sys.argv[1]], scratch.path).wait()

with Scratch() as scratch, threads(2) as pool:
    answers = [pool.submit(run, number) for number in range(4)]
    while not all(os.path.exists(f"started.{number}") for number in range(2)):
        time.sleep(0.01)
    raise KeyboardInterrupt
"""


def is_at_work(process: int) -> bool:
    """Tell whether a process is there and hasn't ended: what has ended has no command line."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


CHILD = "(trap '' TERM; sleep 60) & echo $! >child.$$; exec sleep 60"


@pytest.mark.parametrize(
    "script",
    ["exec sleep 60", "trap '' TERM; sleep 60", CHILD],
    ids=["stops", "heeds no SIGTERM", "has a child that heeds none"],
)
def test_an_interrupt_stops_what_runs_and_starts_no_more(script: str, tmp_path: Path) -> None:
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", WAITS_FOR_FOUR, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "KeyboardInterrupt" in done.stderr.splitlines()[-1]
    assert time.monotonic() - begin < 20
    assert not any(is_at_work(int(started.read_text())) for started in tmp_path.glob("child.*"))
    assert sorted(path.name for path in tmp_path.glob("started.*")) == ["started.0", "started.1"]
