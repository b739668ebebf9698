"""The load of tests/control_plane: a task that takes its time and writes into a journal what becomes of it."""

import json
import os
import signal
import time
from pathlib import Path

from celery import shared_task


@shared_task(bind=True)
def work(self, journal, seconds, dies=""):
    """Take ``seconds``; with ``dies`` "once" or "always" the process is killed before, as by the kernel."""
    attempt = f"{os.environ['POD']}/{os.getpid()}/{time.monotonic_ns()}"
    task = self.request.id

    def write(event):
        queue = self.request.delivery_info["routing_key"]
        line = {"at": time.time(), "event": event, "task": task, "attempt": attempt, "pod": os.environ["POD"]}
        descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND)
        try:
            # One call: nobody else's line gets into this one, and what is written outlives the process.
            os.write(descriptor, (json.dumps(line | {"queue": queue}) + "\n").encode())
        finally:
            os.close(descriptor)

    write("started")
    if dies == "always" or (dies == "once" and _first(Path(f"{journal}.{task}"))):
        write("dying")
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
    write("finished")


def _first(mark):
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
