"""function-skipped: what a build without the function leaves behind."""

from __future__ import annotations

from tests.rules.small_site import QUEUES, finder, resource, split_site, worker

found = finder("function-skipped")
ALL = {
    service: ",".join(queue for name, queue in QUEUES.items() if name.startswith(service)) for service in ("lms", "cms")
}


def test_a_split_site() -> None:
    assert found(*split_site()) == []


def test_the_configuration_is_in_the_output() -> None:
    config = resource("CeleryWorkers", "celery-workers", api_version="celery.openedx.io/v1alpha1", spec={})
    assert found(*split_site(), config) == [("error", "celery-workers")]
    assert found(*split_site(), config.replace("celery.openedx.io", "example.com")) == []


def test_the_mark_that_the_function_takes_off() -> None:
    marked = worker("lms-worker", "edx.lms.core.default", minReadySeconds=-1)
    assert found(*split_site(lms_worker=marked)) == [("error", "lms-worker")]


def test_workers_that_take_all_queues() -> None:
    lms, cms = worker("lms-worker", ALL["lms"]), worker("cms-worker")
    assert found(lms, cms) == [("warning", "cms-worker"), ("warning", "lms-worker")]
    assert found(lms, worker("cms-worker", "edx.cms.core.default")) == [("info", "lms-worker")]
