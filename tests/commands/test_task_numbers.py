"""`tutor-kustomizer tasks` with numbers: real workers, a real Flower, and a real Prometheus that scrapes it."""

from __future__ import annotations

import functools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.test_dashboard import EVERY_SECOND, counted
from tests.acceptance.test_flower import AUTH_SECRET, CREDENTIALS, with_secrets
from tests.broker_site import BROKERS, HIGH, place, task
from tests.commands.test_in_flight import Live, live
from tests.flower_process import flower
from tests.prometheus_process import Prometheus, prometheus, scrape_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builds import Builds

QUICK, FAILING, LONG = "work.tasks.quick", "work.tasks.failing", "work.tasks.long"
PASSWORD = CREDENTIALS.partition(":")[2]
SECONDS = 1.2
"""How long the long task runs, at least."""


def has_counted(running: Prometheus, kind: str, name: str, count: int) -> bool:
    return counted(running, kind, name) == count


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Iterator[tuple[Live, str, str]]:
    """A site that has worked, and the URLs of Prometheus and of Flower."""
    directory = tmp_path_factory.mktemp("measured")
    with (
        place(directory, BROKERS["plain"], builds) as given,
        live(given, directory, defaults={"concurrency": 1}, flower=EVERY_SECOND) as cluster,
        flower("2.0.1", with_secrets(cluster.site.built, AUTH_SECRET), directory / "flower") as watching,
    ):
        site = cluster.site
        monitor, service = site.built.get("ServiceMonitor", "flower"), site.built.get("Service", "flower")
        with prometheus(directory / "prometheus", scrape_config(monitor, service, watching.port)) as running:
            site.start("lms-worker", "lms-worker-high", "cms-worker")
            # While the long one runs, all others do: it takes the most time on any machine.
            site.send("lms", task("long", "long", queue=HIGH))
            site.wait_for("started", 1)
            site.send("lms", *(task("quick", f"quick {number}") for number in range(3)))
            site.send("lms", *(task("failing", f"failing {number}") for number in range(2)))
            site.send("cms", task("quick", "of cms"))
            site.wait_for("started", 3)
            site.wait_for("done", 4)
            time.sleep(SECONDS)
            site.release("long")
            for expected in (("succeeded", QUICK, 4), ("failed", FAILING, 2), ("succeeded", LONG, 1)):
                site.wait(functools.partial(has_counted, running, *expected), f"{expected} in Prometheus")
            yield cluster, running.url, f"http://127.0.0.1:{watching.port}"


@pytest.fixture(params=["prometheus", "flower"])
def source(request: pytest.FixtureRequest, measured: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Live, list[str]]:
    """The site, and the options that ask for numbers."""
    cluster, of_prometheus, of_flower = measured
    monkeypatch.setenv("FLOWER_CREDENTIALS", CREDENTIALS)
    url = of_prometheus if request.param == "prometheus" else of_flower
    return cluster, [f"--{request.param}={url}"]


def test_numbers(source: tuple[Live, list[str]], tmp_path: Path) -> None:
    cluster, asks = source
    done = cluster.run("tasks", *asks, "--sort=load", "--window=1h", "-v", f"--save={tmp_path}", columns=250)
    assert done.exit_code == 0, done.output
    saved = (tmp_path / "celery-tasks.json").read_text()
    for secret in (PASSWORD, "quick 0", "127.0.0.1"):
        assert secret not in saved + done.stdout
    assert PASSWORD not in done.stderr
    check_saved(json.loads(saved))
    check_table(done.stdout)


def check_saved(tree: dict[str, Any]) -> None:
    assert 0 < tree["measured"]["days"] < 0.01
    assert tree["measured"]["window"] == pytest.approx(1 / 24, abs=0.001)
    found = {(each["service"], each["name"]): each["numbers"] for each in tree["tasks"]}
    ran = {key: (each["runs"], each["failed"]) for key, each in found.items() if each is not None}
    assert ran == {("lms", QUICK): (3, 0), ("lms", FAILING): (2, 2), ("lms", LONG): (1, 0), ("cms", QUICK): (1, 0)}
    long, quick = found["lms", LONG], found["lms", QUICK]
    assert long["seconds"] >= SECONDS
    assert 0 < quick["seconds"] < long["seconds"]
    for name in ("median", "p95", "longest"):
        assert long[name]["least"] <= long["seconds"] <= long[name]["most"]
        assert quick[name]["least"] <= quick["seconds"]
    assert sum(map(float, long["hours"].split())) == pytest.approx(long["seconds"], rel=0.01)
    assert long["perDay"] == pytest.approx(1 / tree["measured"]["days"], rel=0.01)
    assert found["lms", FAILING]["longest"] is None
    assert (long["ranOn"], quick["ranOn"]) == (HIGH, "edx.lms.core.default")


def check_table(text: str) -> None:
    headings, first, second, *rest = text.splitlines()
    assert headings.split()[-6:] == ["a", "day", "median", "95%", "longest", "failed"]
    assert [first.split()[1], second.split()[1]] == [LONG, QUICK]
    [failing] = [line for line in rest if FAILING in line and line.startswith("lms")]
    assert failing.endswith("2 (100.0%)")
    assert " of the last 1 h" in rest[-1]


def test_markdown(measured: tuple[Live, str, str]) -> None:
    lines = measured[0].run("tasks", f"--prometheus={measured[1]}", "--sort=load", "-o", "markdown").stdout.splitlines()
    assert lines[0].endswith("| a day | median | 95% | longest | failed |")
    assert f"| {LONG} |" in lines[2]
    assert lines[-1].startswith("Prometheus: ")


def test_flower_without_credentials(measured: tuple[Live, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, _, url = measured
    done = cluster.run("tasks", f"--flower={url}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"Flower at {url}: it refuses access (401). FLOWER_CREDENTIALS holds its USER:PASSWORD" in done.stderr
    monkeypatch.setenv("FLOWER_CREDENTIALS", "admin:wrong-password")
    done = cluster.run("tasks", f"--flower={url}")
    assert "refuses access (401)" in done.stderr
    assert "wrong-password" not in done.stderr


def test_a_prometheus_that_is_none(measured: tuple[Live, str, str]) -> None:
    cluster, _, url = measured
    done = cluster.run("tasks", f"--prometheus={url}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"Error: Prometheus at {url}: it answers 404" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sort=load"], "To sort by load, name --prometheus or --flower."),
        (["--prometheus=http://a", "--flower=http://b"], "Name --prometheus or --flower."),
        (["--prometheus=http://a", "--window=30m"], "'30m' isn't a time like 12h, 7d or 2w"),
    ],
)
def test_wrong_usage(words: list[str], said: str, measured: tuple[Live, str, str]) -> None:
    done = measured[0].run("tasks", *words)
    assert done.exit_code == 2
    assert said in done.stderr
