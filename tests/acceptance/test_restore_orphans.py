"""celery-restore-orphans as it is emitted, beside real workers on a real Redis; the API that lists pods is ours."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import versions

from kustomizer.openedx.pod_program import pod_program
from tests import parts
from tests.broker_site import HIGH, IN_FLIGHT_OF_HIGH, Place, task
from tests.builds import QUEUES
from tests.commands.test_in_flight import ONE_AT_A_TIME, Live, kept, live
from tests.live_site import NAMESPACE, LiveSite, pod_name
from tests.orphans_process import LOOKED, NAME, environ, laid_out
from tests.pods_api import PodsApi, pods_api
from tests.redis_server import HOST, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


DEFAULT = QUEUES["lms-worker"]
REDIS = "redis"


def on(given: Place) -> dict[str, Any]:
    """Return what turns it on; a worker's own 127.0.0.1 is nobody else's, so the broker has its name in a cluster."""
    return {
        "celery": {"restoreOrphans": {"enabled": True}},
        "broker": {"address": f"{REDIS}:{given.server.port}"},
    }


class Restorer:
    """The program at work: what it has said, and whether it could look."""

    def __init__(self, process: subprocess.Popen[bytes], root: Path, api: PodsApi) -> None:
        self.process = process
        self.api = api
        self._root = root

    @property
    def log(self) -> str:
        return (self._root / "log").read_text()

    def wait_for_word(self, site: LiveSite, text: str) -> None:
        """Wait until it has said this."""
        site.wait(lambda: text in self.log, f"{text!r}: {self.log}")

    @property
    def looked(self) -> float:
        """When it could look last."""
        path = self._root / "tmp" / LOOKED
        return path.stat().st_mtime if path.exists() else 0.0

    def wait_for_looks(self, site: LiveSite, count: int = 3) -> None:
        """Wait until it has looked so many times from now on."""
        for _ in range(count):
            self._wait_for_look(site, self.looked)

    def _wait_for_look(self, site: LiveSite, before: float) -> None:
        site.wait(lambda: self.looked > before, f"another look: {self.log}")


@contextlib.contextmanager
def restorer(
    cluster: Live, directory: Path, *, older: float = 2, pods: list[dict[str, Any]] | None = None
) -> Iterator[Restorer]:
    """Run the program on this site, which lists the pods whose processes are there, and ``pods``."""
    site = cluster.site

    def listed() -> list[dict[str, Any]]:
        _ = site.kubectl
        found = json.loads((site.directory / "cluster.json").read_text())["objects"]["pods"]
        for pod in found:
            pod["spec"] = {**pod["spec"], "nodeName": "node"}
        return [*found, *(pods or [])]

    with pods_api(directory / "account", NAMESPACE, listed) as api:
        root = directory / "restorer"
        made = laid_out(site.built.get("Deployment", NAME), site.built, root, every=1, older=older, account=api.account)
        given = environ(made, api.environ)
        given["CELERY_BROKER_URL"] = given["CELERY_BROKER_URL"].replace(f"{REDIS}.{NAMESPACE}:", f"{HOST}:")
        with (root / "log").open("wb") as log:
            process = subprocess.Popen([str(site.python), *made.argv[1:]], env=given, stdout=log, stderr=log)
        try:
            found = Restorer(process, root, api)
            yield found
            assert process.poll() is None, found.log
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("given", "version"),
    [("everything", ""), ("plain", versions.OLDER_CELERYS[0])],
    indirect=["given"],
)
def test_what_a_killed_worker_had_starts_again_and_what_others_have_doesnt(
    given: Place, version: str, tmp_path: Path
) -> None:
    with live(given, tmp_path, **on(given), **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        if version:
            site.python = parts.present(parts.TOOLS / "celery" / version / "bin" / "python")
        with restorer(cluster, tmp_path) as program:
            _, first = site.start("lms-worker", "lms-worker-high")
            program.wait_for_looks(site)
            site.send("lms", task("long", "killed", queue=HIGH))
            site.wait_for("started", 1)
            site.start("lms-worker-high")
            site.send("lms", task("long", "alive", queue=HIGH))
            site.wait_for("started", 2)
            program.wait_for_looks(site, 4)
            assert site.lengths() == {IN_FLIGHT_OF_HIGH: 2}
            assert program.log == ""

            first.kill()
            site.wait(lambda: HIGH in site.lengths(), f"the task to be back: {program.log}")
            assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1, HIGH: 1}
            site.release("killed", "alive")
            site.wait_for("done", 2)
            program.wait_for_looks(site)
        assert [record.mark for record in site.records("started")] == ["killed", "alive", "killed"]
        assert sorted(record.mark for record in site.records("done")) == ["alive", "killed"]
        assert program.log.startswith(f"put back on {HIGH}: work.tasks.long ")
        assert program.log.count("\n") == 1
        assert given.broker.password not in program.log or not given.broker.password


def test_a_pod_that_exists_and_doesnt_answer_is_never_taken_for_dead(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **on(plain), **ONE_AT_A_TIME) as cluster, restorer(cluster, tmp_path) as program:
        site = cluster.site
        _, first = site.start("lms-worker", "lms-worker-high")
        program.wait_for_looks(site)
        site.send("lms", task("long", "killed", queue=HIGH))
        site.wait_for("started", 1)
        [second] = site.start("lms-worker-high")
        site.send("lms", task("long", "stands still", queue=HIGH))
        site.wait_for("started", 2)
        first.kill()
        second.process.send_signal(signal.SIGSTOP)
        program.wait_for_word(
            site, f"left under {IN_FLIGHT_OF_HIGH}: {pod_name(second)} may use it, and doesn't answer"
        )
        program.wait_for_looks(site, 4)
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 2}
        # It goes on, says what it has, and the other one's task is nobody's.
        second.process.send_signal(signal.SIGCONT)
        site.wait(lambda: HIGH in site.lengths(), f"the other one's to be back: {program.log}")
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1, HIGH: 1}


def test_a_pod_with_a_key_of_its_own_holds_up_no_other_worker(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **on(plain), **ONE_AT_A_TIME) as cluster, restorer(cluster, tmp_path) as program:
        site = cluster.site
        default, high = site.start("lms-worker", "lms-worker-high")
        program.wait_for_looks(site)
        site.send("lms", task("long", "killed"), task("long", "stopping", queue=HIGH))
        site.wait_for("started", 2)
        # It answers nobody any more, and its task runs on.
        high.terminate()
        site.wait(lambda: "Warm shutdown" in high.log, "the worker to stop")
        default.kill()
        site.wait(lambda: DEFAULT in site.lengths(), f"the default worker's to be back: {program.log}")
        assert site.lengths() == {DEFAULT: 1, IN_FLIGHT_OF_HIGH: 1}


def test_what_redis_may_have_forgotten_is_left(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **on(plain), **ONE_AT_A_TIME) as cluster:
        [high] = cluster.site.start("lms-worker-high")
        cluster.site.send("lms", task("long", "before", queue=HIGH))
        cluster.site.wait_for("started", 1)
        high.kill()
        time.sleep(2)
        with restorer(cluster, tmp_path) as program:
            program.wait_for_looks(cluster.site, 6)
            # As after a failover: the note is another Redis'.
            cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
            cluster.redis.zadd("unacked_index.lms-worker-high", {"a": time.time()})
            cluster.redis.set("tutor-kustomizer.redis", json.dumps({"run_id": "another", "since": 0}))
            program.wait_for_looks(cluster.site, 5)
            assert cluster.site.lengths() == {IN_FLIGHT_OF_HIGH: 2}
            assert program.log == ""


def test_tasks_of_queues_that_nobody_of_the_build_consumes_are_left(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **on(plain)) as cluster, restorer(cluster, tmp_path) as program:
        program.wait_for_looks(cluster.site, 3)
        for key in ("unacked", "unacked.somebody-else"):
            cluster.put(key, ("a", kept("1", queue="another.application")), ("b", kept("2")))
            index = key.replace("unacked", "unacked_index")
            cluster.redis.zadd(index, {"a": time.time(), "b": time.time()})
        cluster.site.wait(lambda: HIGH in cluster.site.lengths(), f"one to be back: {program.log}")
        assert cluster.site.lengths() == {HIGH: 1, "unacked": 1, "unacked.somebody-else": 2}


def test_it_says_once_why_it_cant_look_and_isnt_ready_then(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **on(plain)) as cluster, restorer(cluster, tmp_path) as program:
        site = cluster.site
        program.wait_for_looks(site)
        path = f"/api/v1/namespaces/{NAMESPACE}/pods?limit=100"
        program.api.status = 403
        program.wait_for_word(site, f"can't look: the pods can't be listed: the API server answers 403 to {path}\n")
        last = program.looked
        time.sleep(3)
        assert program.looked == last
        assert program.log.count("\n") == 1
        program.api.status = 200
        program.wait_for_word(site, "can look again\n")
        program.wait_for_looks(site, 1)
        assert program.api.asked[0] == path


def test_pods_are_read_page_by_page(plain: Place, tmp_path: Path) -> None:
    others = [
        {"metadata": {"name": f"other-{number}"}, "spec": {"containers": [{"name": "a"}]}, "status": {}}
        for number in range(150)
    ]
    # The last one of all is the one that matters: its settings say which worker it is, and nothing else does.
    source = {"configMap": {"name": "prefix-lms-worker-high-celery-settings-84htg8dg62"}}
    spec = {
        "nodeName": "node",
        "containers": [{"name": "main", "command": ["sh", "-c"], "args": ["exec celery --app=lms.celery worker"]}],
        "volumes": [{"name": "settings", "projected": {"sources": [source]}}],
    }
    others.append({"metadata": {"name": "silent-1-2"}, "spec": spec, "status": {"phase": "Running"}})
    with live(plain, tmp_path, **on(plain)) as cluster, restorer(cluster, tmp_path, pods=others) as program:
        program.wait_for_looks(cluster.site, 3)
        cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
        cluster.redis.zadd("unacked_index.lms-worker-high", {"a": time.time()})
        program.wait_for_word(cluster.site, f"1 left under {IN_FLIGHT_OF_HIGH}: silent-1-2 may use it")
        assert program.api.asked[1].endswith("?limit=100&continue=100")


# Without a password Redis talks to 127.0.0.1 alone.
@pytest.mark.parametrize("given", ["password and database"], indirect=True)
def test_connections_of_a_lost_node_arent_waited_for(given: Place, tmp_path: Path) -> None:
    pods = [
        {
            "metadata": {"name": "lms-worker-high-1-a", "labels": {"app.kubernetes.io/name": "lms-worker-high"}},
            "spec": {"nodeName": "node", "containers": [{"name": "lms-worker-high"}]},
            "status": {"phase": "Running", "podIP": "127.0.0.9"},
        }
    ]
    with live(given, tmp_path, **on(given)) as cluster, restorer(cluster, tmp_path, pods=pods) as program:
        site = cluster.site
        program.wait_for_looks(site, 3)
        # A worker that listens, and a stranger of the same kind; both hear of commands, and answer nothing.
        with listener(given, "127.0.0.9"), listener(given, "127.0.0.10") as stranger:
            cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
            cluster.redis.zadd("unacked_index.lms-worker-high", {"a": time.time()})
            program.wait_for_word(site, "lms-worker-high-1-a may use it, and doesn't answer")
            pods.clear()
            program.wait_for_word(site, "1 more that listen on this broker don't answer, and may use it")
            assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1}
            stranger.close()
            site.wait(lambda: HIGH in site.lengths(), f"it to be back: {program.log}")


class NoPods:
    """A namespace without workers."""

    def listed(self) -> dict[str, Any]:
        return {}


def test_two_looks_have_to_agree_on_one_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program: dict[str, Any] = {"__name__": "program", "__file__": str(tmp_path / "program.py")}
    exec(compile(pod_program("restore_orphans", "redis_broker", "orphans"), "program", "exec"), program)  # noqa: S102 - as a pod runs it
    settings = {"older": 0, "patience": 1, "unacked": "unacked", "keys": ["unacked"], "queues": [HIGH]}
    with redis_server(tmp_path / "redis") as server, server.client() as client:
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://{HOST}:{server.port}/0")
        looker = program["Looker"](settings, NoPods())

        def turn() -> int:
            looker.turn()
            return int(client.llen(HIGH))

        assert turn() == 0
        for _ in range(2):
            # Each time another delivery, of the same tag.
            client.hset("unacked", "a", kept("1"))
            client.zadd("unacked_index", {"a": time.time()})
            assert turn() == 0
        looker.forget()
        assert turn() == 0
        assert turn() == 1
        looker.forget()


@contextlib.contextmanager
def listener(given: Place, address: str) -> Iterator[socket.socket]:
    """Listen to Celery's remote control from this address."""
    with socket.create_connection((HOST, given.server.port), source_address=(address, 0)) as connection:
        for line in (f"AUTH {given.broker.password}", f"SUBSCRIBE /{given.broker.database}.celery.pidbox"):
            connection.sendall(f"{line}\r\n".encode())
            answer = connection.recv(100)
            assert not answer.startswith(b"-"), answer
        yield connection
