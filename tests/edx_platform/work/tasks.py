"""Tasks that write down, in a file, which worker ran them. ``mark`` is what a test calls the task."""

import json
import os
import signal
import time
from pathlib import Path

from celery import shared_task
from held import hold

hold("tasks")
WORK = Path(os.environ["TASK_DIRECTORY"])


def record(task, mark, event):
    line = {
        "mark": mark,
        "event": event,
        "pod": os.environ["POD"],
        "node": task.request.hostname,
        "queue": task.request.delivery_info["routing_key"],
    }
    # One short write to a file that is only appended to: records of several processes don't mix.
    with (WORK / "records").open("a") as records:
        records.write(json.dumps(line) + "\n")


@shared_task(bind=True)
def quick(self, mark):
    record(self, mark, "done")


@shared_task(bind=True, rate_limit="10/m")
def rated(self, mark):
    record(self, mark, "done")


@shared_task(bind=True)
def on_high(self, mark):
    record(self, mark, "done")


@shared_task(bind=True)
def long(self, mark):
    """Run until the test says so."""
    record(self, mark, "started")
    deadline = time.monotonic() + 120
    while not (WORK / f"release-{mark}").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(mark)
        time.sleep(0.01)
    record(self, mark, "done")


@shared_task(bind=True)
def failing(self, mark):
    record(self, mark, "started")
    raise ValueError(mark)


@shared_task(bind=True)
def killing_itself(self, mark):
    """Die as from the kernel's out-of-memory killer, unless the test has said that there is enough now."""
    record(self, mark, "started")
    if not (WORK / f"release-{mark}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    record(self, mark, "done")
