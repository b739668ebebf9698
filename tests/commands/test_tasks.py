"""`tutor-kustomizer tasks` on a real Celery with 200 tasks, held to where the same Celery sends each of them."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import redis
import yaml
from click.testing import Result

from kustomizer.tasks.task_file import read_tasks, tasks_json
from tests import celery_site, parts
from tests.broker_site import BROKERS, Place, objects, place
from tests.commands.test_in_flight import Live, live
from tests.edx_platform.catalogue import tasks as catalogue
from tests.kubernetes_schemas import assert_valid
from tests.live_site import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builds import Builds

DEFAULT, HIGH_MEM = "edx.lms.core.default", "edx.lms.core.high_mem"
KINDS = list(catalogue.KINDS)
SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "catalogue"]
CELERY_TASK_DEFAULT_RATE_LIMIT = None
EXPLICIT_QUEUES = {**EXPLICIT_QUEUES}
for _number in range(13):
    EXPLICIT_QUEUES[f"catalogue.tasks.explicit_{_number:02}"] = {"queue": HIGH_PRIORITY_QUEUE}
    ALTERNATE_ENV_TASKS[f"catalogue.tasks.alternate_{_number:02}"] = "cms"
CELERY_QUEUES["edx.cms.core.default"] = {}
CELERY_ROUTES = [
    "openedx.core.lib.celery.routers.route_task",
    {"catalogue.tasks.exact_%02d" % _number: "edx.lms.core.high_mem" for _number in range(13)},
    [
        ("catalogue.tasks.pattern_*", {"queue": "edx.lms.core.high"}),
        ("*.nightly_??", {"queue": "edx.lms.core.high_mem"}),
    ],
    {"catalogue.tasks.priority_only_%02d" % _number: {"priority": 6} for _number in range(13)},
    "catalogue.routers.by_course",
]
"""
UNKNOWN = """
import re
EXPLICIT_QUEUES[re.sub("x", "y", "catalogue.tasks.xet")] = {"queue": HIGH_PRIORITY_QUEUE}
"""
BY = {
    "explicit": "EXPLICIT_QUEUES",
    "alternate": "ALTERNATE_ENV_TASKS",
    "exact": "CELERY_ROUTES",
    "pattern": "CELERY_ROUTES",
    "nightly": "CELERY_ROUTES",
    "by_course": "router failed",
    "own_queue": "queue= of the task",
    "own_exchange": "queue= of the task",
}
VERSIONS = ["5.2.7", "5.4.0", "5.6.3", ""]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Iterator[Place]:
    patches = {"openedx-lms-production-settings": SETTINGS}
    with place(tmp_path_factory.mktemp("catalogue"), BROKERS["plain"], builds, patches) as given:
        yield given


def tasks(cluster: Live, *arguments: str) -> Result:
    return cluster.run("tasks", *arguments, columns=200)


def told(cluster: Live, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what `tasks` says of each task, by service and name."""
    done = tasks(cluster, "--output=json", *arguments)
    assert done.exit_code == 0, done.output
    return {(task["service"], task["name"]): task for task in json.loads(done.stdout)["tasks"]}


def sent(cluster: Live, names: list[str]) -> dict[str, str]:
    """Send each task from a pod of lms, and return the queue that it really is on."""
    cluster.redis.flushall()
    # A binding is in Redis from the first message on.
    ordered = sorted(names, key=lambda name: "explicit" not in name)
    cluster.site.send("lms", *({"name": name, "args": ["course-v1:a"]} for name in ordered))
    found = dict(_on_queues(cluster.redis))
    cluster.redis.flushall()
    return found


def _on_queues(client: redis.Redis) -> Iterator[tuple[str, str]]:
    for key in client.scan_iter(_type="list"):
        for message in client.lrange(key, 0, -1):
            # Each priority has a list of its own.
            yield json.loads(message)["headers"]["task"], str(key).partition("\x06")[0]


def kind(name: str) -> str:
    return name.rpartition(".")[2].rpartition("_")[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_of_200_tasks_goes_where_it_says(version: str, given: Place, tmp_path: Path) -> None:
    names = [name for name, _ in catalogue.NAMES[:200]]
    with live(given, tmp_path) as cluster:
        if version:
            cluster.site.python = parts.present(parts.TOOLS / "celery" / version / "bin" / "python")
        cluster.site.idle_pod("lms")
        before = sent(cluster, names)
        routing = {name: {"queue": HIGH_MEM} for name in names if name.endswith(("_01", "_02"))}
        routed = given.builds.through_exec(given.env, celery_site.specification(routing={"lms": routing}))
        cluster.built.write_bytes(routed.stdout)
        known = told(cluster)
        cluster.site.built = objects(routed)
        after = sent(cluster, names)
    assert len(before) == len(after) == 200
    here = {name: known["lms", name] for name in names}
    open_questions = {name for name, task in here.items() if not task["queue"]}
    assert {kind(name) for name in open_questions} == {"by_course"}
    assert {name: task["queue"] for name, task in here.items() if name not in open_questions} == {
        name: queue for name, queue in before.items() if name not in open_questions
    }
    still_open = {name for name, task in here.items() if not task["after"]}
    assert still_open == open_questions - {"catalogue.tasks.by_course_01", "catalogue.tasks.by_course_02"}
    assert {name: task["after"] for name, task in here.items() if name not in still_open} == {
        name: queue for name, queue in after.items() if name not in still_open
    }
    changed = Counter(kind(name) for name in names if before[name] != after[name])
    # What names its queue itself, and what goes there anyway, doesn't move.
    assert changed == {
        each: 2 for each in KINDS if each not in {"own_queue", "own_exchange", "exact", "nightly", "by_course"}
    }
    for name, task in here.items():
        assert task["by"] == BY.get(kind(name), "default queue"), name


ROUTED = {name: {"queue": HIGH_MEM} for name in ("catalogue.tasks.plain_01", "catalogue.tasks.explicit_01")}


@pytest.fixture(scope="module")
def routed(given: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A site with a pod of each default worker, and a build that routes two tasks more."""
    with live(given, tmp_path_factory.mktemp("routed")) as cluster:
        cluster.site.idle_pod("lms-worker")
        cluster.site.idle_pod("cms-worker")
        build = given.builds.through_exec(given.env, celery_site.specification(routing={"lms": ROUTED}))
        cluster.built.write_bytes(build.stdout)
        yield cluster


def rows(text: str) -> dict[str, list[str]]:
    """Return the cells of each row of a table in text, by the task's name, of the LMS's tasks."""
    lines = text.partition("\n\n")[0].splitlines()
    starts = [lines[0].index(heading) for heading in HEADINGS]
    ends = [*starts[1:], None]
    cells = [[line[slice(*pair)].strip() for pair in zip(starts, ends, strict=True)] for line in lines[1:]]
    return {name: rest for app, name, *rest in cells if app == "lms"}


HEADINGS = ("app", "task", "queue now", "by", "with this build", "settings")


def test_the_table(routed: Live) -> None:
    done = tasks(routed)
    assert (done.exit_code, done.stderr) == (0, "")
    found = rows(done.stdout)
    prefix = "catalogue.tasks."
    assert found[f"{prefix}plain_01"] == [DEFAULT, "default queue", HIGH_MEM, ""]
    assert found[f"{prefix}plain_02"] == [DEFAULT, "default queue", "", ""]
    assert found[f"{prefix}explicit_01"] == [catalogue.HIGH, "EXPLICIT_QUEUES", HIGH_MEM, ""]
    assert found[f"{prefix}exact_01"] == [HIGH_MEM, f"CELERY_ROUTES: {prefix}exact_01", "", ""]
    assert found[f"{prefix}pattern_01"] == [catalogue.HIGH, f"CELERY_ROUTES: {prefix}pattern_*", "", ""]
    assert found[f"{prefix}by_course_01"] == ["(depends on the call)", "router failed: IndexError", "", ""]
    assert found[f"{prefix}own_queue_01"] == [catalogue.HIGH, "queue= of the task", "", ""]
    assert found[f"{prefix}own_priority_01"] == [DEFAULT, "default queue", "", "priority 3"]
    assert found[f"{prefix}priority_only_01"] == [DEFAULT, "default queue", "", "priority 6"]
    assert found[f"{prefix}limited_01"] == [DEFAULT, "default queue", "", "limit 5 min / 6 min"]
    assert found[f"{prefix}rated_01"] == [DEFAULT, "default queue", "", "10/m at the most"]
    assert found[f"{prefix}early_01"] == [DEFAULT, "default queue", "", "early, no result"]
    assert list(found) == sorted(found)
    assert {service: count > 0 for service, count in _counted(done.stdout).items()} == {"cms": True, "lms": True}


def _counted(text: str) -> dict[str, int]:
    """Return how many tasks the lines below a table say that each service has."""
    lines = text.partition("\n\n")[2].splitlines()
    assert all(", Celery 5." in line and ", kombu 5." in line and ", asked on 20" in line for line in lines)
    return {line.partition(":")[0]: int(line.split()[1]) for line in lines}


def test_no_column_without_a_change(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path) as cluster:
        cluster.site.idle_pod("lms-worker")
        done = tasks(cluster)
        assert "with this build" not in done.stdout
        assert done.stderr == "No pod of cms is ready: its tasks aren't shown\n"
        assert list(_counted(done.stdout)) == ["lms"]


def test_sorted_by_queue(routed: Live) -> None:
    found = rows(tasks(routed, "--sort", "queue").stdout)
    queues = [after or now for now, _, after, _ in found.values()]
    assert set(queues) > {DEFAULT, HIGH_MEM, catalogue.HIGH, "(depends on the call)"}
    order = ["" if queue.startswith("(") else queue for queue in queues]
    assert order == sorted(order)
    assert list(found) != sorted(found)


def test_markdown(routed: Live) -> None:
    lines = tasks(routed, "-o", "markdown").stdout.splitlines()
    assert lines[:2] == [f"| {' | '.join(HEADINGS)} |", "| --- | --- | --- | --- | --- | --- |"]
    name = "catalogue.tasks.pattern_01"
    row = ["lms", name, catalogue.HIGH, "CELERY_ROUTES: catalogue.tasks.pattern_&#42;", "", ""]
    assert f"| {' | '.join(row)} |" in lines
    assert lines[-1].startswith("lms: ")


def test_json_is_what_is_saved(routed: Live, tmp_path: Path) -> None:
    place = tmp_path / "tasks.json"
    done = tasks(routed, "-o", "json", "--save", str(place))
    assert place.read_text() == done.stdout
    assert tasks(routed, "--save", str(place)).stdout.startswith("app ")
    tree = json.loads(place.read_text())
    assert (tree["version"], list(tree["services"])) == (1, ["cms", "lms"])
    [limited] = [task for task in tree["tasks"] if task["name"] == "catalogue.tasks.limited_01"]
    assert limited == {
        "service": "lms",
        "name": "catalogue.tasks.limited_01",
        "queue": DEFAULT,
        "by": "default queue",
        "rule": "",
        "after": DEFAULT,
        "priority": None,
        "settings": {
            "timeLimit": 360,
            "softTimeLimit": 300,
            "acksLate": True,
            "ignoreResult": False,
            "rateLimit": None,
            "maxRetries": 3,
        },
        "numbers": None,
    }
    assert tree["measured"] is None
    assert tasks_json(read_tasks(place)) + "\n" == place.read_text()
    missing = tmp_path / "missing" / "tasks.json"
    refused = tasks(routed, "--save", str(missing))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"{missing} can't be written" in refused.stderr


def test_jobs_answer_as_pods_do(routed: Live, tmp_path: Path) -> None:
    logs = []
    printed = tasks(routed, "--print-job").stdout
    jobs = list(yaml.safe_load_all(printed))
    assert len(jobs) == 2
    for job, of in zip(jobs, ("lms-worker", "cms-worker"), strict=True):
        assert_valid(job)
        assert job["metadata"]["labels"]["app.kubernetes.io/name"] == "celery-tasks"
        done = routed.site.run_job(job, of)
        assert done.returncode == 0, done.stderr
        logs.append(f"Settings say this.\n7\n{done.stdout}")
    both, lms, cms = (tmp_path / name for name in ("both.log", "lms.log", "cms.log"))
    for path, text in ((both, "".join(logs)), (lms, logs[0]), (cms, logs[1])):
        path.write_text(text)
    asked = tasks(routed, "-o", "json").stdout
    assert tasks(routed, "-o", "json", "--answer", str(both)).stdout == asked
    assert tasks(routed, "-o", "json", "--answer", str(cms), "--answer", str(lms)).stdout == asked


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("Settings say this.\n", "holds no answer. Write the log of a Job of --print-job: kubectl logs -l "),
        ('{"error": "no module lms"}\n', "the Job says: no module lms"),
        ('{"tasks": []}\n', "holds no answer"),
        (
            '{"service": "lms", "routing": {}, "celery": "5.5.0", "kombu": "5.5.0", "tasks": []}\n',
            "a Job of another build asked lms. Print the Job again with this build, and run it",
        ),
    ],
)
def test_a_log_that_doesnt_answer_is_refused(log: str, said: str, routed: Live, tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text(log)
    refused = tasks(routed, "--answer", str(path))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"Error: {path}" in refused.stderr
    assert said in refused.stderr


def test_a_pod_of_the_site_itself_knows_no_settings_of_workers(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path) as cluster:
        pod = cluster.site.idle_pod("lms")
        found = told(cluster)
        assert {task["settings"] for task in found.values()} == {None}
        assert found["lms", "catalogue.tasks.own_queue_01"]["queue"] == catalogue.HIGH
        text = tasks(cluster).stdout
        assert "early" not in text.replace("tasks.early_", "")
        assert "priority 3" in text
        assert text.endswith("; no worker was asked, so only priorities are shown of the settings\n")
        # A worker's pod is asked first.
        worker = cluster.site.idle_pod("lms-worker-high")
        assert told(cluster)["lms", "catalogue.tasks.early_01"]["settings"]["acksLate"] is False
        assert told(cluster, "--pod", pod)["lms", "catalogue.tasks.early_01"]["settings"] is None
        cluster.site.stopping.add(worker)
        assert told(cluster)["lms", "catalogue.tasks.early_01"]["settings"] is None


def test_nobody_to_ask(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path) as cluster:
        nobody = tasks(cluster)
        assert (nobody.exit_code, nobody.stdout) == (1, "")
        assert nobody.stderr.count("\n") == 1
        assert f"no pod of lms or cms is ready in namespace {NAMESPACE}" in nobody.stderr
        assert "--print-job" in nobody.stderr
        cluster.site.idle_pod("lms-worker")
        unknown = tasks(cluster, "--pod", "gone-1")
        assert unknown.exit_code == 1
        assert "pod gone-1 isn't one of lms or cms that is ready" in unknown.stderr
        elsewhere = tasks(cluster, "--namespace", "elsewhere", "--print-job")
        assert (elsewhere.exit_code, elsewhere.stdout) == (1, "")
        assert "the site has no worker of lms or cms in namespace elsewhere" in elsewhere.stderr


@pytest.mark.parametrize("computed", [False, True])
def test_routes_that_the_build_takes_away(computed: bool, tmp_path: Path, builds: Builds) -> None:
    added = SETTINGS + UNKNOWN if computed else 'INSTALLED_APPS = [*INSTALLED_APPS, "catalogue"]\n'
    own, plain, named = "work.tasks.on_high", "catalogue.tasks.plain_02", "catalogue.tasks.own_queue_02"
    stays = "catalogue.tasks.plain_01"
    with (
        place(tmp_path, BROKERS["plain"], builds, {"openedx-lms-production-settings": added}) as given,
        live(given, tmp_path) as cluster,
    ):
        routing = {name: {"queue": HIGH_MEM} for name in (own, plain, named, stays)}
        build = builds.through_exec(given.env, celery_site.specification(routing={"lms": routing}))
        cluster.site.built = objects(build)
        cluster.site.idle_pod("lms-worker")
        kept = celery_site.specification(routing={"lms": {stays: {"queue": HIGH_MEM}}})
        cluster.built.write_bytes(builds.through_exec(given.env, kept).stdout)
        # Nothing is asked of the broker.
        with contextlib.suppress(redis.exceptions.ConnectionError):
            cluster.redis.shutdown(nosave=True)
        found = {name: task for (_, name), task in told(cluster).items()}
        shown = rows(tasks(cluster).stdout)
    assert {name: (found[name]["queue"], found[name]["after"]) for name in routing} == {
        own: (HIGH_MEM, catalogue.HIGH),
        # The site's own settings may route it, where they compute names in a way that isn't followed.
        plain: (HIGH_MEM, None if computed else DEFAULT),
        named: (catalogue.HIGH, catalogue.HIGH),
        stays: (HIGH_MEM, HIGH_MEM),
    }
    assert {name: shown[name][2] for name in routing} == {
        own: catalogue.HIGH,
        plain: "(not known)" if computed else DEFAULT,
        named: "",
        stays: "",
    }


def test_settings_are_found_by_where_they_are_mounted(routed: Live) -> None:
    text = routed.built.read_text()
    before = told(routed)
    try:
        routed.built.write_text(text.replace("openedx-settings-lms", "python").replace("lms-celery-settings", "more"))
        assert "more" in routed.built.read_text()
        assert told(routed) == before
    finally:
        routed.built.write_text(text)
    assert before["lms", "catalogue.tasks.plain_01"]["after"] == HIGH_MEM
