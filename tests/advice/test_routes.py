"""Which long tasks are routed away, and where to."""

from __future__ import annotations

from typing import Any

import yaml

from kustomizer.advice.routes import routes
from kustomizer.config.load import load
from kustomizer.tasks.model import OWN_QUEUE, Task
from tests.known_tasks import DEFAULT, HIGH, HIGH_MEM, between, known, numbers, site_tasks

SHORT, LONG = numbers(500, between(0.1, 0.5)), numbers(10, between(600, 1800))
QUICK, REPORT = known("quick", numbers=SHORT), known("report", numbers=LONG)
GRADES = known("grades", HIGH_MEM, numbers=numbers(3, between(600, 1800)))


def found(
    *tasks: Task, workers: dict[str, Any] | None = None, **spec: Any
) -> list[tuple[str, tuple[str, ...], str, str]]:
    split = workers or {"lms": {"high": {}, "high_mem": {}}, "cms": {"high": {}, "low": {}}}
    text = {
        "apiVersion": "celery.openedx.io/v1alpha1",
        "kind": "CeleryWorkers",
        "spec": {"workers": split, **spec},
    }
    config = load(yaml.safe_load(yaml.safe_dump(text)))
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
