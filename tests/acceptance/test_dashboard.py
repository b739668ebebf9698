"""Every panel of the dashboard on a real Prometheus, which scrapes a real Flower while real workers work."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from dashboard_panels import PANELS

from tests.acceptance.test_flower import AUTH_SECRET, SETTINGS, with_secrets
from tests.broker_site import BROKERS, HIGH, place, task
from tests.flower_process import flower
from tests.prometheus_process import Prometheus, prometheus, scrape_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builds import Builds
    from tests.celery_site import Site

EVERY_SECOND = {**SETTINGS, "serviceMonitor": {"enabled": True, "interval": 1}}
LONG, QUICK, MIXED = "work.tasks.long", "work.tasks.quick", "work.tasks.killing_itself"


def panel(running: Prometheus, title: str) -> dict[str, float]:
    """Return the values of a panel by the legend of their series."""
    [wanted] = [panel for panel in PANELS if panel.title == title]
    found = {}
    for legend, expression in wanted.queries.items():
        for labels, value in running.query(expression.replace("$namespace", "openedx")):
            name = legend
            for label, text in labels.items():
                name = name.replace(f"{{{{{label}}}}}", text)
            assert name not in found, f"{title}: two series look alike"
            found[name] = value
    return found


def shows(running: Prometheus, title: str, expected: Mapping[str, float]) -> bool:
    return panel(running, title) == expected


def is_about(running: Prometheus, title: str, name: str, expected: float) -> bool:
    return panel(running, title).get(name) == pytest.approx(expected, abs=3)


def mixed(site: Site, *, succeed: int, fail: int, number: int) -> None:
    """Have a task succeed and fail so often."""
    good = [f"good {number} {index}" for index in range(succeed)]
    site.release(*good)
    bad = [f"bad {number} {index}" for index in range(fail)]
    site.send("lms", *(task("killing_itself", mark, queue=HIGH) for mark in (*good, *bad)))


def counted(running: Prometheus, kind: str, name: str) -> float:
    return sum(value for _, value in running.query(f'flower_events_total{{type="task-{kind}",task="{name}"}}'))


def test_every_panel_tells_the_truth(builds: Builds, tmp_path: Path) -> None:
    with (
        place(tmp_path, BROKERS["plain"], builds) as given,
        given.site(tmp_path, defaults={"concurrency": 1}, flower=EVERY_SECOND) as site,
        flower("2.0.1", with_secrets(site.built, AUTH_SECRET), tmp_path / "flower") as watching,
        prometheus(
            tmp_path / "prometheus",
            scrape_config(
                site.built.get("ServiceMonitor", "flower"), site.built.get("Service", "flower"), watching.port
            ),
        ) as running,
    ):

        def wait_for(kind: str, name: str, count: int) -> None:
            site.wait(lambda: counted(running, kind, name) == count, f"{count} {kind} {name} in Prometheus")

        default, high = site.start("lms-worker", "lms-worker-high")
        # A counter that nobody has seen yet doesn't increase: the first of each kind is there to be seen.
        mixed(site, succeed=1, fail=1, number=1)
        site.send("lms", task("long", "first", queue=HIGH), task("quick", "on default"))
        site.release("first")
        wait_for("succeeded", MIXED, 1)
        wait_for("failed", MIXED, 1)
        wait_for("succeeded", LONG, 1)

        mixed(site, succeed=3, fail=1, number=2)
        wait_for("succeeded", MIXED, 4)
        wait_for("failed", MIXED, 2)
        # Prometheus extrapolates a counter that it has known for seconds only; that wears off.
        for title, percentage in (("Tasks Success Ratio", 75), ("Tasks Failure Ratio", 25)):
            site.wait(functools.partial(is_about, running, title, MIXED, percentage), f"{title} to be {percentage}")
        assert panel(running, "Tasks Failure Ratio").get(LONG, 0) == 0

        site.send("lms", *(task("long", mark, queue=HIGH) for mark in ("a", "b", "c")))
        site.wait(lambda: "a" in {record.mark for record in site.records("started")}, "the first to be started")
        waiting = site.lengths()[HIGH]
        assert waiting == 2
        expectations: dict[str, Mapping[str, float]] = {
            "Total Queue Length": {"estimated from Flower's events": waiting},
            "Queue Length by task name": {LONG: waiting, MIXED: 0, QUICK: 0},
            "Celery Worker Status": {default.node: 1, high.node: 1},
            "Number of Tasks Currently Executing at Worker": {default.node: 0, high.node: 1},
        }
        for title, expected in expectations.items():
            what = f"{title} to be {expected}"
            site.wait(functools.partial(shows, running, title, expected), what)
        prefetched = panel(running, "Number of Tasks Prefetched at Worker")
        assert prefetched[f"{LONG} at {high.node}"] == 0
        times = panel(running, "Task Prefetch Time at Worker")
        assert set(times) >= {f"{name} at {high.node}" for name in (LONG, MIXED)}
        assert all(0 <= seconds < 60 for seconds in times.values())

        site.release("a", "b", "c")
        wait_for("succeeded", LONG, 4)
        name = "flower_task_runtime_seconds_sum"

        def is_average() -> bool:
            [(_, total)] = running.query(f'{name}{{task="{LONG}"}}')
            [(_, first)] = running.query(f'min_over_time({name}{{task="{LONG}"}}[5m])')
            average = panel(running, "Average Task Runtime at Worker")[f"{LONG} at {high.node}"]
            return average == pytest.approx((total - first) / 3, rel=0.1)

        # Prometheus extrapolates a counter's rate to the window's ends, for seconds and tasks by a factor each; they
        # come together as scrapes are added.
        site.wait(is_average, "the average runtime to be that of three tasks")
        site.wait(functools.partial(shows, running, "Total Queue Length", _estimate(0)), "an empty queue")
        executing = {default.node: 0.0, high.node: 0.0}
        title = "Number of Tasks Currently Executing at Worker"
        site.wait(functools.partial(shows, running, title, executing), "nothing to be executed")

        # A worker that is gone: its last numbers don't stay.
        high.terminate()
        status = {default.node: 1.0, high.node: 0.0}
        site.wait(functools.partial(shows, running, "Celery Worker Status", status), "the worker to be missed")
        assert panel(running, title) == {default.node: 0}
        assert all(default.node in name for name in panel(running, "Number of Tasks Prefetched at Worker"))
        for wanted in PANELS:
            assert panel(running, wanted.title), wanted.title


def _estimate(length: int) -> dict[str, float]:
    return {"estimated from Flower's events": length}
