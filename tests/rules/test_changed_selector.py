"""changed-selector: what one build tells of a field that can't be changed."""

from __future__ import annotations

import json

from tests.rules.small_site import finder, problems, service, split_site, worker

found = finder("changed-selector")
NAME = "app.kubernetes.io/name"


def test_selectors_as_tutor_has_them() -> None:
    assert found(*split_site()) == []


def test_one_that_does_not_select_its_own_pods() -> None:
    broken = worker("lms-worker", selector={"matchLabels": {NAME: "worker"}})
    (problem,) = problems("changed-selector", broken)
    assert problem.severity == "error"
    assert f"differ in {NAME}" in problem.message


def test_two_that_are_the_same() -> None:
    twins = [worker(name, labels={NAME: "lms-worker"}) for name in ("lms-worker", "lms-worker-high")]
    assert found(*twins) == [("error", "lms-worker-high")]


def test_one_that_differs_from_its_services() -> None:
    more = worker("lms-worker", labels={NAME: "lms-worker", "team": "a"})
    (problem,) = problems("changed-selector", service("lms"), more)
    assert problem.severity == "warning"
    assert "differs from that of lms in team" in problem.message


def test_another_worker_has_labels_of_its_own() -> None:
    env = [{"name": "SERVICE_VARIANT", "value": "lms"}]
    bulk = worker("bulk", "bulk", labels={"app": "bulk"}, container={"env": env})
    assert found(service("lms", labels={NAME: "lms", "instance": "a"}), bulk) == []
    volumes = [{"name": "s", "projected": {"sources": [{"configMap": {"name": "lms-worker-high-celery-settings"}}]}}]
    copy = worker("lms-worker-high", "a", labels={"app": "high"}, pod={"volumes": volumes})
    assert found(service("lms", labels={NAME: "lms", "instance": "a"}), copy) == [("warning", "lms-worker-high")]


def test_a_worker_of_another_kind_isnt_tutors() -> None:
    own = json.loads(worker("lms-worker", labels={"app": "mine"}))
    assert (
        found(service("lms", labels={NAME: "lms", "instance": "a"}), json.dumps({**own, "kind": "StatefulSet"})) == []
    )
