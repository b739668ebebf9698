"""function-skipped: what a build without the function leaves behind."""

from __future__ import annotations

from tests.builds import QUEUES
from tests.rules.small_site import finder, problems, resource, service, split_site, worker

found = finder("function-skipped")
ALL = {owner: ",".join(queue for name, queue in QUEUES.items() if name.startswith(owner)) for owner in ("lms", "cms")}


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


def test_a_worker_that_cannot_be_split() -> None:
    env = [{"name": "SERVICE_VARIANT", "value": "lms"}]
    sidecar = {"name": "celery", "args": ["celery", "--app=lms.celery", "worker"], "env": env}
    lms = service("lms", pod={"initContainers": [{**sidecar, "restartPolicy": "Always"}]})
    (problem,) = problems("function-skipped", lms, worker("cms-worker", "edx.cms.core.default"))
    assert problem.remedy == "It can't be split: it is a sidecar (spec.template.spec.initContainers[0])"
    other = worker("celery", container={"env": env})
    (problem,) = problems("function-skipped", other, worker("cms-worker", "edx.cms.core.default"))
    assert problem.remedy == "It can't be split: only a Deployment lms-worker can be"


def test_a_worker_without_pods_holds_up_nothing() -> None:
    of_lms = ",".join(queue for queue in QUEUES.values() if ".lms." in queue)
    assert found(worker("lms-worker", of_lms)) != []
    assert found(worker("lms-worker", of_lms, replicas=0)) == []
