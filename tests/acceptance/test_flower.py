"""Real Flowers on a real Redis, with real workers: what they see, and who may see it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.transform.broker_access import quote
from tests import celery_site, sites
from tests.broker_site import BROKERS, HIGH, objects, place, secret, task
from tests.flower_process import VERSIONS, Flower, flower, free_port
from tests.flower_site import config, emit, site_input
from tests.pods import Objects
from tests.processes import PATIENCE
from tests.redis_server import HOST, RedisServer, private_authority, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builds import Builds
    from tests.celery_site import Site

CREDENTIALS = "admin:p@ss/w:rd#1"
AUTH_SECRET = secret("flower-basic-auth", {"auth": CREDENTIALS})
SETTINGS = {"enabled": True, "basicAuth": {"existingSecret": {"name": "flower-basic-auth", "key": "auth"}}}


@contextlib.contextmanager
def flowers(objects: Objects, root: Path, **more: str) -> Iterator[list[Flower]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(flower(version, objects, root / version, **more)) for version in VERSIONS]


def with_secrets(built: Objects, *secrets: dict[str, Any]) -> Objects:
    kinds = ("Deployment", "ConfigMap", "Secret")
    return Objects([*(item for kind in kinds for item in built.of_kind(kind)), *secrets])


def queue_length(running: Flower, queue: str) -> int | None:
    """Return what Flower says is waiting in a queue, None where it doesn't know the queue."""
    status, body = running.get("/api/queues/length", CREDENTIALS)
    assert status == 200, running.log.read_text()
    lengths: dict[str, int] = {item["name"]: item["messages"] for item in json.loads(body)["active_queues"]}
    return lengths.get(queue)


def check_access(running: Flower) -> None:
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers"):
        assert running.get(path)[0] == 401, path
        assert running.get(path, "admin:wrong")[0] == 401, path
        assert running.get(path, CREDENTIALS)[0] == 200, path
    # Prometheus and kubelet have no password.
    assert running.get("/metrics")[0] == 200
    assert running.get("/healthcheck")[0] == 200


def check_sight(running: list[Flower], site: Site) -> None:
    """Have tasks run, fail and wait, and see that Flower knows."""
    [worker] = site.start("lms-worker-high")
    for each in running:
        site.wait(functools.partial(_is_online, each), f"{each.log} to see the worker")
    site.send(
        "lms",
        task("quick", "1", queue=HIGH),
        task("failing", "2", queue=HIGH),
        *(task("long", mark, queue=HIGH) for mark in ("3", "4", "5", "6")),
    )
    site.wait_for("started", 2)
    assert site.lengths()[HIGH] >= 2
    for each in running:
        site.wait(functools.partial(_has_seen, each, worker.node), f"{each.log} to see the tasks")
        site.wait(functools.partial(_knows_the_queue, each, site), f"{each.log} to see the queue")
    site.release("3", "4", "5", "6")
    site.wait_for("done", 5)
    for each in running:
        site.wait(functools.partial(_is_empty, each), f"{each.log} to see an empty queue")
        # kombu and redis-py say so when a certificate isn't verified.
        assert "insecure" not in each.log.read_text().lower()


def _has_seen(running: Flower, node: str) -> bool:
    return (
        running.metric("flower_events_total", type="task-succeeded", worker=node) == 1
        and running.metric("flower_events_total", type="task-failed", worker=node) == 1
        and running.metric("flower_events_total", type="task-sent") == 6
        and running.metric("flower_worker_number_of_currently_executing_tasks", worker=node) == 1
    )


def _is_online(running: Flower) -> bool:
    return running.metric("flower_worker_online") >= 1


def _is_empty(running: Flower) -> bool:
    return queue_length(running, HIGH) == 0


def _knows_the_queue(running: Flower, site: Site) -> bool:
    length = queue_length(running, HIGH)
    if length is None:
        # Flower asks workers for their queues when it starts, and when it is told to.
        running.get("/api/workers?refresh=1", CREDENTIALS)
    return length == site.lengths()[HIGH]


@pytest.mark.parametrize(
    ("broker", "only_in_a_secret"),
    [("password and database", False), ("everything", False), ("everything", True)],
    ids=["password", "user, TLS and key prefix", "credentials of an existing Secret"],
)
def test_sees_what_happens_and_asks_for_a_password(
    broker: str, only_in_a_secret: bool, builds: Builds, tmp_path: Path
) -> None:
    secrets = [AUTH_SECRET]
    with place(tmp_path, BROKERS[broker], builds) as given:
        if given.server.ca:
            secrets.append(secret("redis-ca", {"ca.crt": given.server.ca.read_text()}))
        with given.site(tmp_path, defaults={"concurrency": 1}, flower=SETTINGS) as site:
            built = site.built
            if only_in_a_secret:
                secrets.append(secret("redis-auth", {"user": given.broker.username, "password": given.broker.password}))
                existing = {"name": "redis-auth", "usernameKey": "user", "passwordKey": "password"}
                tls = {"ca": {"name": "redis-ca", "key": "ca.crt"}}
                spec = celery_site.specification(flower=SETTINGS, broker={"existingSecret": existing, "tls": tls})
                built = objects(builds.through_exec(given.env, spec))
            with flowers(with_secrets(built, *secrets), tmp_path / "flower") as running:
                for each in running:
                    check_access(each)
                check_sight(running, site)


def test_an_unknown_authority_is_not_believed(builds: Builds, tmp_path: Path) -> None:
    """A bare rediss:// would run without verification: that ours verifies shows when it has the wrong CA."""
    with place(tmp_path, BROKERS["tls"], builds) as given, given.site(tmp_path, flower=SETTINGS) as site:
        other = tmp_path / "other"
        other.mkdir()
        wrong = secret("redis-ca", {"ca.crt": private_authority(other).read_text()})
        with flower(VERSIONS[0], with_secrets(site.built, AUTH_SECRET, wrong), tmp_path / "flower") as running:
            site.wait(lambda: "certificate verify failed" in running.log.read_text(), "it to say so")


SENTINEL_WORKER = """
from celery import Celery

app = Celery("app", broker="sentinel://:{quoted}@127.0.0.1:{port}/3")
app.conf.broker_transport_options = {{"master_name": "main", "sentinel_kwargs": {{"password": "s"}}}}
app.conf.worker_send_task_events = True


@app.task
def work():
    pass
"""


def test_sees_events_through_sentinels(builds: Builds, tmp_path: Path) -> None:
    """Workers of this kombu; the older one of Flower 2.0.1's image listens to another channel unless it is told."""
    password = "p@ss/w:rd#1"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(redis_server(tmp_path / "redis", password=password))
        ports = [free_port(), free_port()]
        for port in ports:
            stack.enter_context(sentinel(tmp_path / f"sentinel-{port}", port, server))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        given = {"name": "sentinel", "passwordKey": "password"}
        broker = {
            "sentinel": {"addresses": addresses, "master": "main", "existingSecret": given},
            "database": 3,
            "existingSecret": {"name": "redis", "passwordKey": "password"},
        }
        found = emit(site_input(builds, sites.site("22")), config({}, broker=broker))
        built = Objects(tree for (kind, _), tree in found.objects.items() if kind in {"Deployment", "ConfigMap"})
        secrets = (secret("sentinel", {"password": "s"}), secret("redis", {"password": password}))
        running = stack.enter_context(flowers(with_secrets(built, AUTH_SECRET, *secrets), tmp_path / "flower"))
        (tmp_path / "app.py").write_text(SENTINEL_WORKER.format(quoted=quote(password), port=ports[0]))
        celery: list[str | Path] = [celery_site.BIN / "celery", "--app=app"]
        worker = stack.enter_context(process(tmp_path, *celery, "worker", "--concurrency=1"))
        deadline = time.monotonic() + PATIENCE
        while not all(each.metric("flower_worker_online") == 1 for each in running):
            assert worker.poll() is None
            assert time.monotonic() < deadline, [each.log.read_text() for each in running]
            time.sleep(0.1)
        subprocess.run([*celery, "call", "app.work"], cwd=tmp_path, check=True, capture_output=True)
        while not all(each.metric("flower_events_total", type="task-succeeded") == 1 for each in running):
            assert time.monotonic() < deadline, [each.log.read_text() for each in running]
            time.sleep(0.1)


@contextlib.contextmanager
def sentinel(directory: Path, port: int, server: RedisServer) -> Iterator[None]:
    directory.mkdir()
    lines = [
        f"port {port}",
        f"bind {HOST}",
        f'dir "{directory}"',
        "requirepass s",
        f"sentinel monitor main {HOST} {server.port} 1",
        f"sentinel auth-pass main {server.password}",
    ]
    (directory / "sentinel.conf").write_text("\n".join([*lines, ""]))
    with process(directory, "redis-server", "sentinel.conf", "--sentinel"):
        yield


@contextlib.contextmanager
def process(directory: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with (directory / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=directory, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
