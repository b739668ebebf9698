"""`in-flight restore --orphaned` on real workers and a real Redis, and the one step by which a message is put back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import versions
from celery import Celery
from redis import Redis

from kustomizer.cluster import orphans
from kustomizer.openedx.pod_program import pod_program
from tests import parts
from tests.broker_site import HIGH, IN_FLIGHT_OF_HIGH, Place, task
from tests.commands.test_in_flight import ONE_AT_A_TIME, Live, kept, live
from tests.live_site import pod_name
from tests.redis_server import HOST, redis_server

if TYPE_CHECKING:
    from pathlib import Path


NOTHING = "Nothing that was taken more than {} s ago, since Redis started, is in nobody's hand.\n"


@pytest.mark.parametrize(
    ("given", "version"),
    [("everything", ""), *(("plain", version) for version in versions.OLDER_CELERYS)],
    indirect=["given"],
)
def test_what_a_killed_worker_had_goes_back_and_what_others_have_stays(
    given: Place, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "APART_SECONDS", 1)
    with live(given, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        if version:
            site.python = parts.present(parts.TOOLS / "celery" / version / "bin" / "python")
        _, first = site.start("lms-worker", "lms-worker-high")
        _wait_until_redis_is_older(cluster, 2)
        site.send("lms", task("long", "killed", queue=HIGH))
        site.wait_for("started", 1)
        [second] = site.start("lms-worker-high")
        site.send("lms", task("long", "alive", queue=HIGH))
        site.wait_for("started", 2)
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 2}, "both to be taken")

        young = cluster.in_flight("restore", "--orphaned", "lms-worker-high")
        assert (young.exit_code, young.stdout) == (0, NOTHING.format(60))

        first.kill()
        time.sleep(2)
        found = [(each["held"], each["worker"]) for each in cluster.keys()[IN_FLIGHT_OF_HIGH]["messages"]]
        assert found == [("nobody", ""), ("yes", pod_name(second))]
        done = cluster.in_flight("restore", "--orphaned", "--older-than=1", "lms-worker-high")
        assert (done.exit_code, done.stdout) == (0, f"{IN_FLIGHT_OF_HIGH}: 1 task put back on {HIGH}\n"), done.output
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1, HIGH: 1}
        again = cluster.in_flight("restore", "--orphaned", "--older-than=1")
        assert again.stdout == NOTHING.format(1)

        # Back from a lost connection the worker names what still runs.
        for kind in ("normal", "pubsub"):
            cluster.redis.client_kill_filter(_type=kind, skipme=True)
        site.wait(lambda: _holders(cluster) == {pod_name(second)}, "the worker to be back")
        lost = cluster.in_flight("restore", "--orphaned", "--older-than=1")
        assert lost.stdout == NOTHING.format(1)
        assert [record.mark for record in site.records("started")][:2] == ["killed", "alive"]


def _wait_until_redis_is_older(cluster: Live, seconds: int) -> None:
    """Wait, since what was taken before Redis is so old is left; Redis itself counts in whole seconds."""
    cluster.site.wait(
        lambda: cluster.redis.info("server")["uptime_in_seconds"] > seconds, f"Redis to be older than {seconds} s"
    )


def _take(cluster: Live, *tags: str) -> str:
    """Have these messages of the key be taken now, by a Redis that is old enough; returns the key's index."""
    _wait_until_redis_is_older(cluster, 1)
    index = f"{cluster.broker.prefix}unacked_index.lms-worker-high"
    cluster.redis.zadd(index, dict.fromkeys(tags, time.time()))
    return index


def _holders(cluster: Live) -> set[str]:
    """Return who has the tasks in hand: nobody where kombu has put them back, and no worker has taken them yet."""
    found = cluster.keys().get(IN_FLIGHT_OF_HIGH)
    return {each["worker"] for each in found["messages"]} if found else set()


@pytest.mark.parametrize("given", ["plain"], indirect=True)
def test_nothing_is_put_back_while_a_pod_doesnt_answer(
    given: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "APART_SECONDS", 1)
    with live(given, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        _, first = site.start("lms-worker", "lms-worker-high")
        _wait_until_redis_is_older(cluster, 2)
        site.send("lms", task("long", "killed", queue=HIGH))
        site.wait_for("started", 1)
        [second] = site.start("lms-worker-high")
        site.send("lms", task("long", "stopping", queue=HIGH))
        site.wait_for("started", 2)
        first.kill()
        # A worker that stops finishes its task, and answers no more.
        second.terminate()
        site.wait(lambda: "Warm shutdown" in second.log, "the worker to stop")
        time.sleep(2)

        refused = cluster.in_flight("restore", "--orphaned", "--older-than=1", "--output=json")
        assert refused.exit_code == 1
        [each] = json.loads(refused.stdout)
        assert (each["key"], each["queues"], each["left"]) == (IN_FLIGHT_OF_HIGH, {}, 2)
        assert each["reason"] == f"{pod_name(second)} may use it, and doesn't answer"
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 2}


@pytest.mark.parametrize("given", ["plain"], indirect=True)
def test_a_solo_worker_is_refused(given: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "APART_SECONDS", 1)
    with live(given, tmp_path, defaults={"extraArgs": ["--pool=solo"]}) as cluster:
        cluster.site.start("lms-worker", "lms-worker-high")
        cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
        # Redis started after that, for all that anybody knows.
        _take(cluster, "a")
        time.sleep(1)
        refused = cluster.in_flight("restore", "--orphaned", "--older-than=0", "lms-worker-high")
        assert refused.exit_code == 1
        assert "another pool than prefork" in refused.stdout
        assert cluster.site.lengths() == {IN_FLIGHT_OF_HIGH: 1}


@pytest.mark.parametrize("given", ["plain"], indirect=True)
def test_what_a_worker_may_have_without_saying_so_is_left_and_said(
    given: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "APART_SECONDS", 1)
    with live(given, tmp_path, **ONE_AT_A_TIME) as cluster:
        cluster.site.start("lms-worker", "lms-worker-high")
        rated = {"id": "1", "task": "work.tasks.rated", "argsrepr": "()", "kwargsrepr": "{}", "eta": None}
        cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1", headers=rated)), ("b", kept("2")))
        _take(cluster, "a", "b")
        time.sleep(1)
        done = cluster.in_flight("restore", "--orphaned", "--older-than=0", "lms-worker-high")
        assert (done.exit_code, done.stdout) == (
            1,
            f"{IN_FLIGHT_OF_HIGH}: 1 task put back on {HIGH}\n{IN_FLIGHT_OF_HIGH}: 1 task left: "
            "a worker limits the rate of such tasks, and may have them where it doesn't say so\n",
        )
        cluster.site.wait(lambda: cluster.site.lengths() == {IN_FLIGHT_OF_HIGH: 1}, "the other one to be done")


@pytest.mark.parametrize("given", ["everything"], indirect=True)
def test_what_was_taken_before_redis_started_is_left(
    given: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "APART_SECONDS", 1)
    with live(given, tmp_path) as cluster:
        cluster.site.idle_pod("lms")
        cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")), ("b", kept("2")))
        index = _take(cluster, "b")
        done = cluster.in_flight("restore", "--orphaned", "--older-than=0")
        assert (done.exit_code, done.stdout) == (0, f"{IN_FLIGHT_OF_HIGH}: 1 task put back on {HIGH}\n")
        assert cluster.redis.zrange(index, 0, -1) == ["a"]
        assert cluster.in_flight("restore", "--orphaned", "--older-than=0").stdout == NOTHING.format(0)


def test_all_is_left_where_a_worker_doesnt_say_whose_rate_it_limits(tmp_path: Path) -> None:
    program: dict[str, Any] = {"__name__": "program"}
    exec(compile(pod_program("redis_broker", "orphans"), "program", "exec"), program)  # noqa: S102 - as a pod runs it
    stats = {"broker": {"transport_options": {"unacked_key": "unacked.x"}}, "pool": {"writes": {}}}

    class Mailbox:
        """A worker that answers all questions but one."""

        def _broadcast(self, question: str, *_: Any, **__: Any) -> list[dict[str, Any]]:
            return [] if question == "registered" else [{"celery@x-1": stats if question == "stats" else []}]

    class Broker:
        """One message that nobody has."""

        def messages(self, key: str) -> list[tuple[str, float, bytes]]:
            return [("a", time.time() - 100, kept("1").encode())]

        def listeners(self, exchange: str) -> int:
            return 1

    request = {"keys": ["unacked.x"], "older": 1, "patience": 1}
    found = program["look"](Broker(), Mailbox(), "", request)
    assert [message["id"] for message in found["messages"]["unacked.x"]] == ["1"]
    reason = program["refusal"]("unacked.x", {"x-1": ["x"]}, found["answers"])
    assert reason == "not every worker says which tasks it limits the rate of"


def test_one_step_puts_back_the_delivery_that_was_looked_at_and_no_other(tmp_path: Path) -> None:
    program: dict[str, Any] = {"__name__": "program"}
    exec(compile(pod_program("redis_broker", "orphans"), "program", "exec"), program)  # noqa: S102 - as a pod runs it
    with redis_server(tmp_path / "redis") as server:
        client = Redis(host=HOST, port=server.port)
        app = Celery(broker=f"redis://{HOST}:{server.port}/0", broker_transport_options={"global_keyprefix": "p:"})
        with app, app.connection_for_write() as connection:
            broker = program["RedisBroker"](connection, {"global_keyprefix": "p:"})

            def put(*, taken: float, priority: int = 0) -> dict[str, Any]:
                text = json.loads(kept("1"))
                text[0]["properties"]["priority"] = priority
                client.hset("p:unacked.x", "a", json.dumps(text))
                client.zadd("p:unacked_index.x", {"a": taken})
                return {"tag": "a", "taken": taken}

            def restore(message: dict[str, Any], queues: list[str] | None = None) -> str:
                return str(program["restore_one"](broker, "unacked.x", message, queues))

            # Acknowledged meanwhile.
            message = put(taken=100.25)
            client.hdel("p:unacked.x", "a")
            client.zrem("p:unacked_index.x", "a")
            assert restore(message) == ""
            # Put back by another one meanwhile, and taken again: kombu keeps the tag.
            put(taken=200.5)
            assert restore(message) == ""
            assert client.hlen("p:unacked.x") == 1
            # Another service's queue.
            message = put(taken=300.123456, priority=5)
            assert restore(message, ["edx.lms.core.default"]) == ""
            assert restore(message, [HIGH]) == HIGH
            assert restore(message) == ""
            assert client.keys("*") == [f"p:{HIGH}\x06\x163".encode()]
            [text] = client.lrange(f"p:{HIGH}\x06\x163", 0, -1)
            assert json.loads(text)["headers"]["redelivered"]
