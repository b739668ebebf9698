"""Real Celery workers on a real Redis, started as the build emits them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.broker_site import (
    AGGREGATORS,
    BROKERS,
    GRADES,
    HIGH,
    IN_FLIGHT_OF_HIGH,
    Place,
    objects,
    task,
)
from tests.builds import QUEUES
from tests.keda_scaler import triggers_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_task_reaches_the_worker_of_its_queue_and_no_other(plain: Place, tmp_path: Path) -> None:
    routing = {"lms": {GRADES: {"queue": QUEUES["lms-worker-high-mem"]}}}
    with plain.site(tmp_path, routing=routing, defaults={"concurrency": 1}) as site:
        workers = site.start(*QUEUES)
        to_each = {sender: {f"{sender} to {queue}": pod for pod, queue in QUEUES.items()} for sender in ("lms", "cms")}
        site.send(
            "lms",
            *(task("quick", mark, queue=QUEUES[pod]) for mark, pod in to_each["lms"].items()),
            task("quick", "lms, no route"),
            task("on_high", "Open edX's route"),
            task(GRADES, "our route"),
        )
        site.send(
            "cms",
            *(task("quick", mark, queue=QUEUES[pod]) for mark, pod in to_each["cms"].items()),
            task("quick", "cms, no route"),
            task(AGGREGATORS, "Open edX's route to the other service"),
        )
        expected = {
            **to_each["lms"],
            **to_each["cms"],
            "lms, no route": "lms-worker",
            "Open edX's route": "lms-worker-high",
            "our route": "lms-worker-high-mem",
            "cms, no route": "cms-worker",
            "Open edX's route to the other service": "lms-worker",
        }
        site.wait_for("done", len(expected))
        site.wait(lambda: not site.lengths(), "an empty Redis")

        done = site.records("done")
        assert {record.mark: record.pod for record in done} == expected
        assert len(done) == len(expected)
        assert all(record.queue == QUEUES[record.pod] for record in done)
        host = socket.gethostname()
        assert [worker.node for worker in workers] == [f"celery@{queue}.{host}" for queue in QUEUES.values()]
        assert {record.node for record in done} == {worker.node for worker in workers}


@pytest.mark.parametrize("given", ["plain", "everything"], indirect=True)
def test_a_killed_worker_leaves_its_task_to_the_next_one_of_its_queue(given: Place, tmp_path: Path) -> None:
    with given.site(tmp_path, defaults={"concurrency": 1, "visibilityTimeout": 1}) as site:
        [killed] = site.start("lms-worker-high")
        site.send("lms", task("long", "killed", queue=HIGH), task("quick", "behind it", queue=HIGH))
        site.wait_for("started", 1)
        killed.kill()
        assert site.lengths() == {HIGH: 1, IN_FLIGHT_OF_HIGH: 1}

        site.wait_until_visible(IN_FLIGHT_OF_HIGH, 1)
        # Each looks for what it can restore when it starts.
        site.start("lms-worker", "lms-worker-high-mem")
        site.send("lms", task("quick", "on default"))
        site.wait_for("done", 1)
        site.wait(lambda: site.lengths() == {HIGH: 1, IN_FLIGHT_OF_HIGH: 1}, "the others to leave it there")

        site.start("lms-worker-high")
        site.release("killed")
        site.wait_for("done", 3)
        site.wait(lambda: not site.lengths(), "an empty Redis")

        assert {(record.mark, record.pod) for record in site.records("done")} == {
            ("on default", "lms-worker"),
            ("behind it", "lms-worker-high"),
            ("killed", "lms-worker-high"),
        }
        assert [record.pod for record in site.records("started")] == ["lms-worker-high"] * 2


def test_a_worker_that_is_told_to_stop_loses_nothing(plain: Place, tmp_path: Path) -> None:
    with plain.site(tmp_path, workers={"lms": {"high": {"concurrency": 2}}}) as site:
        [stopping] = site.start("lms-worker-high")
        later = task("quick", "later", queue=HIGH, countdown=3600)
        site.send("lms", later, *(task("long", mark, queue=HIGH) for mark in ("a", "b", "c", "d")))
        site.wait_for("started", 2)
        site.wait(lambda: site.lengths() == {HIGH: 2, IN_FLIGHT_OF_HIGH: 3}, "two running, two waiting, one for later")

        stopping.terminate()
        site.wait(lambda: "Warm shutdown" in stopping.log, "it to be told")
        running = {record.mark for record in site.records("started")}
        assert not stopping.ended()
        site.release(*running)
        site.wait(stopping.ended, "it to end")
        assert stopping.process.returncode == 0
        assert {record.mark for record in site.records("done")} == running
        assert site.lengths() == {HIGH: 3}

        site.start("lms-worker-high")
        site.release("a", "b", "c", "d")
        site.wait_for("done", 4)
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 1}, "only the one for later to be left")
        for event in ("started", "done"):
            assert Counter(record.mark for record in site.records(event)) == Counter("abcd")


def test_the_default_worker_restores_what_a_worker_from_before_the_split_left(plain: Place, tmp_path: Path) -> None:
    with plain.site(tmp_path, defaults={"concurrency": 1, "visibilityTimeout": 1}) as site:
        [old] = site.start("lms-worker", built=objects(plain.builds.plain(plain.env)))
        site.send("lms", task("quick", "later", queue=HIGH, countdown=3600))
        site.wait(lambda: site.lengths() == {"unacked": 1}, "the old worker to take it")
        old.kill()

        site.wait_until_visible("unacked", 1)
        site.start("lms-worker-high")
        site.send("lms", task("quick", "on high", queue=HIGH))
        site.wait_for("done", 1)
        site.wait(lambda: site.lengths() == {"unacked": 1}, "the copy to leave it there")

        site.start("lms-worker")
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 1}, "it to get to the worker of its queue")


@pytest.mark.parametrize("given", BROKERS, indirect=True)
def test_keda_counts_what_waits_and_what_runs(given: Place, tmp_path: Path) -> None:
    workers = {"lms": {"high": {"concurrency": 2}, "high_mem": {"keda": {"inFlight": "Slots"}}}}
    defaults = {"concurrency": 1, "keda": {"enabled": True}}
    with given.site(tmp_path, workers=workers, defaults=defaults) as site:
        site.start("lms-worker", "lms-worker-high", "lms-worker-high-mem")
        amounts = {"lms-worker": 2, "lms-worker-high": 5, "lms-worker-high-mem": 1, "cms-worker-low": 2}
        marks = [(pod, f"{pod} {number}") for pod, amount in amounts.items() for number in range(amount)]
        site.send("lms", *(task("long", mark, queue=QUEUES[pod]) for pod, mark in marks))
        site.wait_for("started", 4)

        # The default workers share Celery's own key.
        expected = {
            "lms-worker": {"queued1": 1, "inflight": 1},
            "lms-worker-high": {"queued1": 3, "inflight": 2},
            "lms-worker-high-mem": {"queued1": 0, "inflight": 1},
            "cms-worker": {"queued1": 0, "inflight": 1},
            "cms-worker-high": {"queued1": 0, "inflight": 0},
            "cms-worker-low": {"queued1": 2, "inflight": 0},
        }
        site.wait(lambda: triggers_of(site.built) == expected, "KEDA to count what is there")

        site.start("cms-worker-low")
        # What fails doesn't stay in flight.
        site.send("lms", task("failing", "failing", queue=HIGH))
        site.release(*(mark for _, mark in marks))
        site.wait_for("done", len(marks))
        site.wait_for("started", len(marks) + 1)
        nothing = {pod: dict.fromkeys(counts, 0) for pod, counts in expected.items()}
        site.wait(lambda: triggers_of(site.built) == nothing, "KEDA to count nothing")
        assert not site.lengths()


@pytest.mark.parametrize("reject", [None, True])
def test_a_task_whose_process_is_killed_is_lost_or_repeated(reject: bool | None, plain: Place, tmp_path: Path) -> None:
    celery = {"rejectOnWorkerLost": reject} if reject else {}
    with plain.site(tmp_path, defaults={"concurrency": 1}, celery=celery) as site:
        site.start("lms-worker-high")
        site.send("lms", task("killing_itself", "out of memory", queue=HIGH))
        site.wait_for("started", 3 if reject else 1)
        if reject:
            site.release("out of memory")
            site.wait_for("done", 1)
        site.wait(lambda: not site.lengths(), "an empty Redis")
        assert reject or (len(site.records("started")), site.records("done")) == (1, [])


def test_a_soft_shutdown_waits_for_a_task_and_gives_back_what_takes_longer(plain: Place, tmp_path: Path) -> None:
    with plain.site(tmp_path, defaults={"concurrency": 2}, celery={"softShutdownTimeout": 5}) as site:
        [stopping] = site.start("lms-worker-high")
        site.send("lms", *(task("long", mark, queue=HIGH) for mark in ("in time", "too long")))
        site.wait_for("started", 2)
        stopping.terminate()
        site.wait(lambda: "Soft Shutdown" in stopping.log, "it to be told")
        site.release("in time")
        site.wait(stopping.ended, "it to end without the other task")
        assert [record.mark for record in site.records("done")] == ["in time"]
        assert site.lengths() == {HIGH: 1}

        site.start("lms-worker-high")
        site.release("too long")
        site.wait_for("done", 2)
        site.wait(lambda: not site.lengths(), "an empty Redis")


def test_the_liveness_probe_sees_a_consumer_that_no_longer_moves_and_no_fault_in_a_busy_one(
    plain: Place, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    watched = scratch / "celery-consumer"
    more = {"livenessProbe": "Celery", "env": [{"name": "TMPDIR", "value": str(scratch)}], "concurrency": 1}
    with plain.site(tmp_path, workers={"lms": {"high": more}}) as site, plain.server.client() as client:
        [worker] = site.start("lms-worker-high")
        deployment = site.built.get("Deployment", "lms-worker-high")
        probe = deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["exec"]["command"]

        def is_alive() -> bool:
            return subprocess.run(probe, env={**os.environ, "TMPDIR": str(scratch)}, check=False).returncode == 0

        def grow_old() -> None:
            os.utime(watched, (0, 0))
            assert not is_alive()

        site.wait(watched.exists, "the worker to say that it consumes")
        assert is_alive()
        grow_old()
        site.wait(is_alive, "an idle worker to move")

        site.send("lms", task("long", "busy", queue=HIGH), task("quick", "behind it", queue=HIGH))
        site.wait_for("started", 1)
        grow_old()
        site.wait(is_alive, "a busy worker to move")
        site.release("busy")
        site.wait_for("done", 2)

        # Its process lives, and its loop goes on; of Redis it hears nothing.
        client.client_pause(14_000)
        time.sleep(6)
        grow_old()
        time.sleep(6)
        assert not is_alive()
        site.wait(is_alive, "it to move again")

        worker.terminate()
        site.wait(worker.ended, "it to end")
        assert not watched.exists()
        assert is_alive()
