"""Which long tasks are routed away, and where to."""

from __future__ import annotations

from typing import Any

import yaml

from kustomizer.advice.loads import routes, stuck
from kustomizer.config.load import load
from kustomizer.config.model import CeleryWorkers
from kustomizer.tasks.model import OWN_QUEUE, Task
from tests.known_tasks import DEFAULT, HIGH, HIGH_MEM, between, known, numbers, site_tasks

SHORT, LONG = numbers(500, between(0.1, 0.5)), numbers(10, between(600, 1800))
QUICK, REPORT = known("quick", numbers=SHORT), known("report", numbers=LONG)
GRADES = known("grades", HIGH_MEM, numbers=numbers(3, between(600, 1800)))


def config_of(workers: dict[str, Any] | None = None, **spec: Any) -> CeleryWorkers:
    split = workers or {"lms": {"high": {}, "high_mem": {}}, "cms": {"high": {}, "low": {}}}
    head = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers"}
    return load(yaml.safe_load(yaml.safe_dump({**head, "spec": {"workers": split, **spec}})))


def found(
    *tasks: Task, workers: dict[str, Any] | None = None, **spec: Any
) -> list[tuple[str, tuple[str, ...], str, str]]:
    config = config_of(workers, **spec)
    return [(route.name, route.senders, route.queue, route.adds) for route in routes(site_tasks(*tasks), config)]


def test_to_the_queue_of_the_long_ones() -> None:
    assert found(QUICK, REPORT, GRADES) == [("report", ("lms",), HIGH_MEM, "")]


def test_to_a_new_worker_where_there_is_none() -> None:
    assert found(QUICK, REPORT) == [("report", ("lms",), "edx.lms.core.long", "lms")]
    mixed = known("quick.too", HIGH_MEM, numbers=SHORT)
    assert {queue for _, _, queue, _ in found(QUICK, REPORT, GRADES, mixed)} == {"edx.lms.core.long"}
    # There is one, and it isn't for these.
    busy = known("x", "edx.lms.core.long", numbers=SHORT)
    assert found(QUICK, REPORT, busy, workers={"lms": {"high": {}, "high_mem": {}, "long": {}}}) == []


def test_to_the_queue_with_the_most_long_work() -> None:
    more = known("more", HIGH, numbers=numbers(9, between(600, 1800)))
    assert found(QUICK, REPORT, GRADES, more)[0][2] == HIGH


def test_what_stays() -> None:
    assert found(REPORT) == []
    assert found(QUICK, GRADES) == []
    assert found(QUICK, REPORT.replace(by=OWN_QUEUE), GRADES) == []
    # Too few runs, and not that long.
    assert found(QUICK, known("report", numbers=numbers(2, between(600, 1800))), GRADES) == []
    assert found(QUICK, known("report", numbers=numbers(10, between(30, 60))), GRADES) == []


def test_where_calls_name_the_queue() -> None:
    """The router would send it to default, and it ran on high_mem."""
    called = known("report", numbers=LONG.replace(ran_on=HIGH_MEM))
    assert found(QUICK, called, GRADES) == []
    assert found(known("quick", HIGH_MEM, numbers=SHORT.replace(ran_on=HIGH_MEM)), called) == []
    workers = {"lms": {"high": {}, "slow": {"queues": [DEFAULT.replace("default", "x")]}, "high_mem": {}}, "cms": {}}
    routed = known("report", "edx.lms.core.x", numbers=LONG.replace(ran_on="edx.lms.core.slow"))
    short = known("quick", "edx.lms.core.x", numbers=SHORT.replace(ran_on="edx.lms.core.slow"))
    # The worker's name isn't its queue's.
    assert found(short, routed, GRADES, workers=workers) == [("report", ("lms",), HIGH_MEM, "")]
    # Where the site wasn't split, all ran on default.
    assert (
        found(
            known("quick", HIGH_MEM, numbers=SHORT.replace(ran_on=DEFAULT)),
            known("report", HIGH_MEM, numbers=LONG.replace(ran_on=DEFAULT)),
        )[0][0]
        == "report"
    )


def test_a_route_that_the_configuration_has() -> None:
    routed = {"lms": {"report": {"queue": HIGH_MEM}}}
    assert found(QUICK, REPORT, GRADES, routing=routed) == []
    # It isn't carried out for a task that names its queue.
    own = known("own", numbers=SHORT, by=OWN_QUEUE)
    assert found(own, REPORT, GRADES, routing={"lms": {"own": {"queue": HIGH}}}) == [("report", ("lms",), HIGH_MEM, "")]


def test_every_service_that_sends_it_there_is_named() -> None:
    of_cms = known("report", DEFAULT, service="cms")
    assert found(QUICK, REPORT, of_cms, GRADES) == [("report", ("cms", "lms"), HIGH_MEM, "")]
    elsewhere = known("report", "edx.cms.core.default", service="cms")
    assert found(QUICK, REPORT, elsewhere, GRADES) == [("report", ("lms",), HIGH_MEM, "")]


def test_what_no_route_moves_is_said() -> None:
    own = REPORT.replace(by=OWN_QUEUE)
    called = known("called", HIGH_MEM, numbers=LONG.replace(ran_on=HIGH))
    short = known("quick.too", HIGH, numbers=SHORT)
    notes = [str(note) for note in stuck(site_tasks(QUICK, own, called, short, GRADES), config_of())]
    assert notes == [
        "report of lms is long, and runs among short tasks on lms-worker: it says so itself. No route "
        "moves it; its code can",
        "called of lms is long, and runs among short tasks on lms-worker-high: its calls name another queue than its "
        "router. No route moves it; its code can",
    ]
    assert list(stuck(site_tasks(QUICK, REPORT, GRADES), config_of())) == []
