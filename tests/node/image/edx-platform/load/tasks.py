"""Tasks that write into a journal, a list in a Redis outside of the cluster, what becomes of them."""

import json
import os
import socket
import time

import redis
from celery import shared_task
from celery.worker.control import control_command


class _Journal:
    def __init__(self, request, url):
        self._redis = redis.Redis.from_url(url)
        self._always = {
            "task": request.id,
            "attempt": f"{socket.gethostname()}/{os.getpid()}/{time.monotonic_ns()}",
            "pod": socket.gethostname(),
            "queue": request.delivery_info["routing_key"],
        }

    def write(self, event):
        self._redis.rpush("journal", json.dumps({"at": time.time(), "event": event, **self._always}))


@shared_task(bind=True)
def work(self, journal, seconds, megabytes=0):
    """Take ``seconds``; with ``megabytes`` it holds so much memory meanwhile, the first time that it is tried."""
    written = _Journal(self.request, journal)
    written.write("started")
    held = b""
    if megabytes and redis.Redis.from_url(journal).set(f"tried-{self.request.id}", 1, nx=True):
        written.write("dying")
        held = b"x" * (megabytes << 20)
    time.sleep(seconds)
    del held
    written.write("finished")


@control_command()
def stop_asking(state):
    """Have the worker live on and ask Redis for nothing more, as after kombu#2492 and kombu#2629."""
    state.consumer.task_consumer.channel._brpop_start = lambda *args, **options: None
    return {"ok": "asks no more"}


@control_command(args=[("megabytes", int)], signature="[MEGABYTES]")
def grow(state, megabytes):
    """Hold so much memory in the worker's first process."""
    state.held_by_tests = b"x" * (megabytes << 20)
    return {"ok": "has grown"}
