"""two-schedulers: periodic tasks that are sent more than once."""

from __future__ import annotations

import json
from typing import Any

from tests.rules.small_site import (
    deployment,
    finder,
    hpa,
    problems,
    resource,
    routing_lms,
    scaled_object,
    trigger,
    worker,
)

found = finder("two-schedulers")
BEAT = ["celery", "--app=lms.celery", "beat", "-l", "info"]


def beat(name: str = "lms-beat", *words: str, **spec: Any) -> str:
    return deployment(name, {"args": [*BEAT, *words]}, **spec)


def with_beat(**more: Any) -> str:
    return worker("lms-worker", "edx.lms.core.default", "--beat", **more)


def test_one_scheduler() -> None:
    assert found(beat()) == []
    assert found(with_beat()) == []
    other = deployment("cms-beat", {"args": ["celery", "-A", "cms.celery:APP", "beat"]})
    assert found(beat(), other) == []
    assert found(beat(), beat(namespace="other")) == []


def test_two_of_one_application() -> None:
    (problem,) = problems("two-schedulers", beat(), with_beat())
    assert problem.severity == "warning"
    assert "runs a scheduler (beat) of lms, and so does Deployment lms-beat in namespace openedx" in problem.message
    assert problem.field == "spec.template.spec.containers[0]"
    sidecar = {"initContainers": [{"name": "beat", "args": BEAT, "restartPolicy": "Always"}]}
    assert found(beat(), worker("lms-worker", "a", pod=sidecar)) == [("warning", "lms-worker")]
    named = {"env": [{"name": "SERVICE_VARIANT", "value": "lms"}], "args": ["celery", "--app=my.celery", "beat"]}
    assert found(beat(), deployment("my", named)) == [("warning", "my")]


def test_one_in_several_pods() -> None:
    (problem,) = problems("two-schedulers", beat(replicas=2))
    assert "in each of 2 pods" in problem.message
    assert found(beat(replicas=1)) == []
    assert found(with_beat(), hpa("lms-worker")) == [("warning", "lms-worker")]
    assert found(with_beat(), scaled_object("lms-worker", triggers=[trigger("a")])) == [("warning", "lms-worker")]


def test_a_variable_that_only_some_versions_heed() -> None:
    by_variable = worker("lms-worker", "a", container={"env": [{"name": "CELERY_WORKER_BEAT", "value": "true"}]})
    (problem,) = problems("two-schedulers", by_variable, beat())
    assert "may run a scheduler (beat) of lms (not every version of Celery heeds CELERY_WORKER_BEAT)" in problem.message
    assert found(by_variable) == []
    assert found(worker("lms-worker", "a", container={"env": [{"name": "CELERY_WORKER_BEAT"}]}), beat()) == []


def test_redbeats_take_turns() -> None:
    lms = routing_lms("CELERYBEAT_SCHEDULER = 'redbeat.RedBeatScheduler'\n")
    assert found(*lms, beat("lms-beat", replicas=2)) == []
    of_cms = deployment("cms-beat", {"args": ["celery", "--app=cms.celery", "beat"]}, replicas=2)
    assert found(*lms, of_cms) == [("warning", "cms-beat")]
    redbeat = beat("lms-beat", "-S", "redbeat.RedBeatScheduler", replicas=2)
    assert found(redbeat) == []
    # A plain one doesn't wait for it.
    assert found(redbeat, beat("other")) == [("warning", "other")]


def test_one_without_pods_and_one_on_each_node() -> None:
    assert found(beat(), with_beat(replicas=0)) == []
    night = resource("CronJob", "night", spec={"suspend": True, "jobTemplate": {"spec": json.loads(beat())["spec"]}})
    assert found(beat(), night) == []
    (problem,) = problems("two-schedulers", beat().replace('"Deployment"', '"DaemonSet"'))
    assert "runs a scheduler (beat) of lms on each node" in problem.message
