"""`tutor-kustomizer in-flight` on real workers and a real Redis, and the Job that does the same."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.cluster.pods import program_text
from tests import celery_site, parts
from tests.broker_site import BROKERS, HIGH, IN_FLIGHT_OF_HIGH, Broker, Place, objects, place, secret, task
from tests.flower_process import free_port
from tests.kubernetes_schemas import assert_valid
from tests.live_site import NAMESPACE, LiveSite, pod_name
from tests.processes import PATIENCE, answering
from tests.redis_server import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.builds import Builds


class Live:
    """A running site and the file that it was built to."""

    def __init__(self, site: LiveSite, built: Path, redis: redis.Redis, broker: Broker) -> None:
        self.site = site
        self.built = built
        self.redis = redis
        self.broker = broker

    def in_flight(self, *arguments: str, stdin: str = "") -> Result:
        """Run the command on this site."""
        return self.run("in-flight", *arguments, stdin=stdin)

    def run(self, name: str, *arguments: str, stdin: str = "", columns: int = 80) -> Result:
        """Run the command ``name`` on this site, on a terminal of so many columns."""
        command = [name, *arguments, str(self.built), "--kubectl", str(self.site.kubectl)]
        result = CliRunner(env={"COLUMNS": str(columns)}).invoke(main, command, input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def keys(self) -> dict[str, dict[str, Any]]:
        """Return what `list` says of each key."""
        done = self.in_flight("list", "--output=json", "--limit=0")
        assert done.exit_code == 0, done.output
        return {found["key"]: found for found in json.loads(done.stdout)["keys"]}

    def put(self, key: str, *messages: tuple[str, str], taken: bool = True) -> None:
        """Have messages in flight that a worker of another time left: their tags, and what is kept of them."""
        self.redis.hset(self.broker.prefix + key, mapping=dict(messages))
        if taken:
            index = self.broker.prefix + key.replace("unacked", "unacked_index", 1)
            self.redis.zadd(index, {tag: time.time() - 7200 for tag, _ in messages})


@contextlib.contextmanager
def live(given: Place, directory: Path, *, spec: str = "", **more: Any) -> Iterator[Live]:
    """Build the site, with ``spec`` or what is recommended and ``more``, and start nothing yet, over an empty Redis."""
    cluster = []
    if given.server.ca:
        more["broker"] = {**more.get("broker", {}), "tls": {"ca": {"name": "redis-ca", "key": "ca.crt"}}}
        cluster.append(secret("redis-ca", {"ca.crt": given.server.ca.read_text()}))
    build = given.builds.through_exec(given.env, spec or celery_site.specification(**more))
    built = directory / "built.yaml"
    built.write_bytes(build.stdout)
    with (
        given.server.client(given.broker.database) as client,
        LiveSite(directory / "site", objects(build, *cluster), client, given.broker.prefix) as site,
    ):
        client.flushall()
        yield Live(site, built, client, given.broker)


ONE_AT_A_TIME: dict[str, Any] = {"defaults": {"concurrency": 1}}


def kept(task_id: str, *, queue: str = HIGH, exchange: str = "", headers: Mapping[str, Any] | None = None) -> str:
    """Return a message as kombu keeps it."""
    info = {"exchange": exchange, "routing_key": queue}
    told = {"id": task_id, "task": "work.tasks.quick", "argsrepr": "['personal']", "kwargsrepr": "{}", "eta": None}
    raw = {
        "body": "W1siYSJdLCB7fSwge31d",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": told if headers is None else headers,
        "properties": {"body_encoding": "base64", "delivery_info": info, "delivery_tag": task_id, "priority": 0},
    }
    return json.dumps([raw, exchange, queue])


@pytest.mark.parametrize("given", BROKERS, indirect=True)
def test_what_a_killed_worker_left_is_shown_and_put_back(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        _, high = site.start("lms-worker", "lms-worker-high")
        site.send("lms", task("quick", "later", queue=HIGH, countdown=3600), task("long", "killed", queue=HIGH))
        site.wait_for("started", 1)
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 2}, "both to be taken")

        found = cluster.keys()[IN_FLIGHT_OF_HIGH]
        assert (found["workers"], found["count"]) == (["lms-worker-high"], 2)
        later, running = found["messages"]
        assert (later["task"], running["task"]) == ("work.tasks.quick", "work.tasks.long")
        assert later["eta"]
        assert not running["eta"]
        assert running["queue"] == HIGH
        assert 0 <= running["age"] < PATIENCE
        assert not running["redelivered"]
        assert [(each["held"], each["worker"]) for each in (later, running)] == [("yes", pod_name(high))] * 2

        refused = cluster.in_flight("restore", "lms-worker-high")
        assert refused.exit_code == 1
        assert f"in use by {pod_name(high)}" in refused.stderr
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 2}

        high.kill()
        done = cluster.in_flight("restore", "lms-worker-high")
        assert (done.exit_code, done.stdout) == (0, f"{IN_FLIGHT_OF_HIGH}: 2 tasks put back on {HIGH}\n")
        assert site.lengths() == {HIGH: 2}

        site.start("lms-worker-high")
        site.release("killed")
        site.wait_for("done", 1)
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 1}, "the one for later to be taken again")
        assert [message["redelivered"] for message in cluster.keys()[IN_FLIGHT_OF_HIGH]["messages"]] == [True]
        assert [record.mark for record in site.records("done")] == ["killed"]

        said = [word for arguments in site.arguments() for word in arguments]
        assert not any(given.broker.password in word for word in said if given.broker.password)


def test_it_fits_a_terminal(plain: Place, tmp_path: Path) -> None:
    name = "lms.djangoapps.instructor_task.tasks.calculate_problem_responses_csv"
    headers = {"id": "7d1b", "task": name, "argsrepr": "x" * 300, "eta": "2026-11-22T16:57:00.123456+00:00"}
    with live(plain, tmp_path) as cluster:
        cluster.site.idle_pod("lms")
        cluster.put("unacked.cms-worker-bulk", ("a", kept("1", headers=headers)), ("b", "not JSON"))
        cluster.put("unacked", ("c", kept("2")), taken=False)
        assert cluster.in_flight("list").stdout.splitlines() == [
            "unacked (cms-worker, lms-worker): 1 task",
            "id                                    taken      again",
            "2                                     not known",
            "  work.tasks.quick on edx.lms.core.high",
            "  in hand: nobody",
            "",
            "unacked.cms-worker-bulk (no worker of this site: `in-flight restore` puts them",
            "  back): 2 tasks",
            "id                                    taken      again",
            "7d1b                                  2 h",
            f"  {name} on",
            "    edx.lms.core.high, kept for 2026-11-22 16:57 UTC",
            "  in hand: nobody",
            "(unreadable)                          2 h",
        ]
        asked = cluster.in_flight("list", "--arguments").stdout.splitlines()
        # A word that is longer stays whole.
        assert [line for line in asked if len(line) > 80] == [f"    {'x' * 300}"]
        assert "  args: ['personal']" in asked


def test_nothing_in_flight_is_said(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        cluster.site.idle_pod("lms")
        assert cluster.in_flight("list").stdout == "Nothing is in flight.\n"
        said = "unacked.gone: nothing is in flight. `in-flight list` shows the keys that hold something\n"
        assert cluster.in_flight("restore", "gone").stdout == said


def test_a_worker_that_is_stopping_keeps_its_task(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        _, high = site.start("lms-worker", "lms-worker-high")
        site.send("lms", task("long", "in hand", queue=HIGH))
        site.wait_for("started", 1)
        # Celery's control doesn't reach it any more, and its task runs on.
        high.terminate()
        site.wait(lambda: "Warm shutdown" in high.log, "it to be told")
        site.stopping.add(pod_name(high))
        for more in ([], ["--print-job"]):
            refused = cluster.in_flight("restore", IN_FLIGHT_OF_HIGH, *more)
            assert (refused.exit_code, refused.stdout) == (1, "")
            assert f"{pod_name(high)} may use it" in refused.stderr
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1}
        site.release("in hand")
        site.wait(high.ended, "it to end")


def test_whoever_listens_and_doesnt_answer_may_use_any_key(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        default, high = site.start("lms-worker", "lms-worker-high")
        cluster.put("unacked.gone", ("a", kept("1")))
        # As one whose solo pool is busy.
        os.kill(high.process.pid, signal.SIGSTOP)
        refused = cluster.in_flight("restore", "unacked.gone")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert (
            f"1 worker that listens on this broker without an answer may use it (of what is here, {pod_name(high)})"
            in (refused.stderr)
        )
        site.hidden |= {pod_name(high)}
        assert "without an answer may use it, and nothing" in cluster.in_flight("restore", "unacked.gone").stderr
        assert site.lengths() == {"unacked.gone": 1}
        os.kill(high.process.pid, signal.SIGCONT)

        site.hidden |= {pod_name(default)}
        site.idle_pod("lms")
        cluster.put(IN_FLIGHT_OF_HIGH, ("b", kept("2")))
        used = cluster.in_flight("restore", IN_FLIGHT_OF_HIGH)
        assert f"in use by {high.node}" in used.stderr
        assert cluster.in_flight("restore", "unacked.gone").exit_code == 0


def test_a_worker_whose_names_say_so_has_another_key(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        [default] = site.start("lms-worker")
        cluster.put("unacked.gone", ("a", kept("1")))
        # It neither listens nor answers any more, and could only have taken what is under the shared key.
        site.send("lms", task("long", "in hand"))
        site.wait_for("started", 1)
        default.terminate()
        site.wait(lambda: "Warm shutdown" in default.log, "it to be told")
        site.stopping.add(pod_name(default))
        site.idle_pod("lms")
        assert f"{pod_name(default)} may use it" in cluster.in_flight("restore", "unacked").stderr
        assert cluster.in_flight("restore", "unacked.gone").exit_code == 0
        assert site.lengths() == {"unacked": 1, HIGH: 1}


def test_two_workers_of_one_name_both_answer(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **ONE_AT_A_TIME) as cluster:
        cluster.site.host = "same"
        first, second = cluster.site.start("lms-worker", "lms-worker")
        assert first.node == second.node
        cluster.put("unacked.gone", ("a", kept("1")))
        done = cluster.in_flight("restore", "unacked.gone")
        assert done.exit_code == 0, done.output


def test_what_kombu_would_lose_is_kept(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        cluster.site.idle_pod("cms")
        bound, unbound = (kept(name, queue="bulk", exchange=name) for name in ("known", "unknown"))
        cluster.redis.sadd("_kombu.binding.known", "bulk\x06\x16\x06\x16bulk")
        cluster.put("unacked.gone", ("a", bound), ("b", unbound), ("c", "not JSON"))
        cluster.put("unacked.gone", ("d", kept("stranded")), taken=False)
        assert cluster.in_flight("restore", "gone").stdout.splitlines() == [
            "unacked.gone: 1 task put back on bulk",
            f"unacked.gone: 1 task put back on {HIGH}",
            "No worker of this site consumes bulk: route or consume it, or they wait for ever",
            "unacked.gone: 2 tasks left, since no queue is known for them",
        ]
        assert cluster.site.lengths() == {"bulk": 1, HIGH: 1, "unacked.gone": 2}


def test_ten_thousand_are_counted_shown_in_part_and_put_back(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        cluster.site.idle_pod("lms")
        cluster.put("unacked.gone", *((f"tag-{number}", kept(str(number))) for number in range(10_000)))
        cluster.redis.config_resetstat()
        printed = cluster.in_flight("list").stdout.splitlines()
        assert " ".join(printed[:2]).endswith(": 10000   tasks")
        assert printed[-1] == "and 9900 more, see --limit"
        commands = cluster.redis.info("commandstats")
        assert isinstance(commands, dict)
        assert commands["cmdstat_hmget"]["calls"] == 1
        assert "cmdstat_hscan" not in commands

        found = cluster.keys()["unacked.gone"]
        assert len({message["id"] for message in found["messages"]}) == 10_000
        assert len(found["messages"]) == found["count"] == 10_000
        assert cluster.in_flight("restore", "gone").stdout == f"unacked.gone: 10000 tasks put back on {HIGH}\n"
        assert cluster.site.lengths() == {HIGH: 10_000}


def test_a_poison_task_is_dropped(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, celery={"rejectOnWorkerLost": True}, **ONE_AT_A_TIME) as cluster:
        site = cluster.site
        site.start("lms-worker-high")
        site.send("lms", task("killing_itself", "poison", queue=HIGH, task_id="poison-1"))
        site.wait_for("started", 3)
        done = cluster.in_flight("drop", "poison-1", "--yes")
        assert (done.exit_code, done.stdout) == (0, "Dropped poison-1\n"), done.output
        assert "work.tasks.killing_itself poison-1: " in done.stderr
        assert "'poison'" not in done.output
        site.wait(lambda: not site.lengths(), "it to be gone")
        site.send("lms", task("quick", "next", queue=HIGH))
        site.wait_for("done", 1)


def test_a_task_is_dropped_wherever_it_is_and_others_stay(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        site = cluster.site
        site.idle_pod("lms")
        cluster.put("unacked.gone", ("a", kept("poison")), ("b", kept("poison too")))
        waiting = [json.dumps(json.loads(kept(name))[0]) for name in ("waits", "poison")]
        cluster.redis.rpush(HIGH, waiting[0])
        cluster.redis.rpush(f"{HIGH}\x06\x166", waiting[1])

        said_no = cluster.in_flight("drop", "poison", stdin="n\n")
        assert (said_no.exit_code, said_no.stdout) == (1, "")
        assert "in flight under unacked.gone, taken 2 h ago" in said_no.stderr
        assert f"waiting on {HIGH}" in said_no.stderr
        assert cluster.redis.hlen("unacked.gone") == 2

        done = cluster.in_flight("drop", "poison", "-o", "json", stdin="y\n")
        assert [each["key"] for each in json.loads(done.stdout)] == ["unacked.gone", ""]
        assert "personal" not in done.output
        assert cluster.redis.hkeys("unacked.gone") == cluster.redis.zrange("unacked_index.gone", 0, -1) == ["b"]
        assert (cluster.redis.lrange(HIGH, 0, -1), cluster.redis.exists(f"{HIGH}\x06\x166")) == (waiting[:1], 0)

        unknown = cluster.in_flight("drop", "poison", "--yes")
        assert unknown.exit_code == 1
        assert "no task poison is in flight or waiting" in unknown.stderr


@pytest.mark.parametrize("given", ["everything"], indirect=True)
def test_a_job_does_it_where_no_pod_can_be_asked(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path) as cluster:
        site = cluster.site
        cluster.put("unacked.gone", ("a", kept("1")))
        alone = cluster.in_flight("list")
        assert alone.exit_code == 1
        assert f"no pod of lms or cms is ready in namespace {NAMESPACE}" in alone.stderr
        assert "--print-job" in alone.stderr

        printed = cluster.in_flight("list", "--print-job").stdout
        job = yaml.safe_load(printed)
        assert_valid(job)
        worker = site.built.get("Deployment", "cms-worker")["spec"]["template"]
        pod = job["spec"]["template"]
        assert given.broker.password not in printed
        assert "$(" not in pod["spec"]["containers"][0]["args"][0]
        selector = site.built.get("Deployment", "cms-worker")["spec"]["selector"]["matchLabels"]
        assert not selector.items() <= pod["metadata"]["labels"].items()
        for field in ("image", "env", "volumeMounts"):
            assert pod["spec"]["containers"][0][field] == worker["spec"]["containers"][0][field]
        assert pod["spec"]["volumes"] == worker["spec"]["volumes"]

        done = site.run_job(job, "cms-worker")
        assert done.returncode == 0, done.stderr
        [found] = [each for each in json.loads(done.stdout)["keys"] if each["count"]]
        assert (found["key"], found["messages"][0]["id"]) == ("unacked.gone", "1")

        for action in (["restore", "gone"], ["drop", "1"]):
            cluster.put("unacked.gone", ("a", kept("1")))
            job = yaml.safe_load(cluster.in_flight(*action, "--print-job").stdout)
            done = site.run_job(job, "cms-worker")
            assert done.returncode == 0, done.stderr
            assert "unacked.gone" not in site.lengths()
        assert site.lengths() == {}


def test_a_job_that_is_refused_has_failed(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **ONE_AT_A_TIME) as cluster:
        job = yaml.safe_load(cluster.in_flight("restore", "lms-worker-high", "--print-job").stdout)
        [high] = cluster.site.start("lms-worker-high")
        cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
        done = cluster.site.run_job(job, "cms-worker")
        assert (done.returncode, json.loads(done.stdout)["users"]) == (1, [high.node])
        assert cluster.site.lengths() == {IN_FLIGHT_OF_HIGH: 1}


def test_a_password_in_the_deployments_environment_isnt_printed(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        given = "        - name: SERVICE_VARIANT\n"
        secrets = (("AWS_SECRET_ACCESS_KEY", "hunter2"), ("MONGO", "mongodb://edx:hunter2@db"))
        more = "".join(f"        - name: {name}\n          value: {value}\n" for name, value in secrets)
        text = cluster.built.read_text()
        assert given in text
        cluster.built.write_text(text.replace(given, more + given))
        printed = cluster.in_flight("list", "--print-job").stdout
        assert "hunter2" not in printed
        names = [entry["name"] for entry in yaml.safe_load(printed)["spec"]["template"]["spec"]["containers"][0]["env"]]
        assert names == ["SERVICE_VARIANT", "DJANGO_SETTINGS_MODULE"]
        assert "# Left out, as its value stands in the Deployment: MONGO\n" in printed


def test_a_redis_that_is_down_or_refuses_is_said(tmp_path: Path, builds: Builds) -> None:
    broker = Broker(password="p@ss/w:rd#1")
    with place(tmp_path, broker, builds) as given, live(given, tmp_path) as cluster:
        cluster.site.idle_pod("lms")
        cluster.redis.config_set("requirepass", "another")
        refused = cluster.in_flight("list")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("Error: pod lms-1: the broker can't be used: ")
        cluster.redis.config_set("requirepass", broker.password)
        with contextlib.suppress(ConnectionError):
            cluster.redis.shutdown(nosave=True)
        down = cluster.in_flight("list")
        assert down.exit_code == 1
        assert "the broker can't be used: Error 111 connecting to" in down.stderr
        for said in (refused.output, down.output):
            assert len(said.splitlines()) == 1
            assert "w:rd" not in said


@contextlib.contextmanager
def sentinel(directory: Path, master: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a Redis Sentinel that watches the Redis on the port ``master``; yield its port and its process."""
    port = free_port()
    directory.mkdir()
    config, log = directory / "sentinel.conf", directory / "log"
    config.write_text(f"port {port}\nbind {HOST}\nsentinel monitor main {HOST} {master} 1\n")

    def is_ready() -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis(host=HOST, port=port) as client:
            return bool(client.ping())
        return False

    program = parts.program("redis-server")
    with log.open("wb") as output:
        process = subprocess.Popen([program, str(config), "--sentinel"], stdout=output, stderr=output)
    with answering(process, log, is_ready):
        yield port, process


def test_sentinels_are_asked_for_the_redis(tmp_path: Path, builds: Builds) -> None:
    with (
        place(tmp_path / "redis", BROKERS["plain"], builds) as given,
        sentinel(tmp_path / "sentinel", given.server.port) as (port, process),
    ):
        broker = {
            "CELERY_BROKER_TRANSPORT": "sentinel",
            "CELERY_BROKER_HOSTNAME": f"{HOST}:{port}",
            "CELERY_BROKER_TRANSPORT_OPTIONS": {"master_name": "main"},
        }
        env = celery_site.render(tmp_path / "tutor", {}, broker)
        with live(given._replace(env=env), tmp_path) as cluster:
            [high] = cluster.site.start("lms-worker-high")
            cluster.put(IN_FLIGHT_OF_HIGH, ("a", kept("1")))
            cluster.put("unacked.gone", ("b", kept("2")))
            assert set(cluster.keys()) == {IN_FLIGHT_OF_HIGH, "unacked.gone"}
            assert f"in use by {pod_name(high)}" in cluster.in_flight("restore", "lms-worker-high").stderr
            assert cluster.in_flight("restore", "gone").exit_code == 0
            process.kill()
            said = cluster.in_flight("list").stderr
            assert said == f"Error: pod {pod_name(high)}: the broker can't be used: No master found for 'main'\n"


def test_another_broker_has_no_tasks_in_flight_to_see(tmp_path: Path, builds: Builds) -> None:
    env = celery_site.render(tmp_path / "tutor", {}, {"CELERY_BROKER_TRANSPORT": "memory"})
    early = {"lateAcknowledgement": False}
    with (
        place(tmp_path / "redis", BROKERS["plain"], builds) as given,
        live(given._replace(env=env), tmp_path, celery=early) as other,
    ):
        other.site.idle_pod("lms")
        said = other.in_flight("list").stderr
        assert said == "Error: pod lms-1: the broker is memory: only on Redis tasks in flight can be seen\n"


def test_what_kubectl_says_is_passed_on(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path) as cluster:
        pod = cluster.site.idle_pod("lms")
        unknown = cluster.in_flight("list", "--context=elsewhere")
        assert (unknown.exit_code, unknown.stdout) == (1, "")
        assert unknown.stderr == 'Error: kubectl get pods: context "elsewhere" does not exist\n'
        assert cluster.in_flight("list", "--context=site", "--kubeconfig=file").exit_code == 0
        assert ["--namespace=openedx", "--context=site", "--kubeconfig=file"] in [
            arguments[:3] for arguments in cluster.site.arguments()
        ]
        assert "no pod of lms or cms is ready in namespace other" in cluster.in_flight("list", "-n", "other").stderr
        assert "pod no-such isn't one of lms or cms that is ready" in cluster.in_flight("list", "--pod=no-such").stderr
        assert cluster.in_flight("list", f"--pod={pod}").exit_code == 0
        cluster.site.python = Path("/no/such/python")
        failed = cluster.in_flight("list")
        assert failed.exit_code == 1
        assert failed.stderr.startswith(f"Error: kubectl exec in pod {pod}, container lms: ")
        command = ["in-flight", "list", str(cluster.built), "--kubectl=/no/such/kubectl"]
        missing = CliRunner().invoke(main, command).stderr
        assert missing == "Error: /no/such/kubectl can't be run: No such file or directory\n"


def test_the_program_is_one_that_old_pythons_and_kubelets_take() -> None:
    text = program_text("lms.celery", {"action": "look", "lists": ["ä"]})
    assert text.isascii()
    ast.parse(text, feature_version=(3, 8))
    # A kubelet would expand it in a container's arguments.
    assert "$(" not in text
