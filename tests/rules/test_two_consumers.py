"""two-consumers: a queue in more than one worker."""

from __future__ import annotations

from tests.rules.small_site import finder, problems, split_site, worker

found = finder("two-consumers")


def test_a_worker_for_each_queue() -> None:
    assert found(*split_site()) == []


def test_tutors_worker_still_takes_a_queue_that_has_its_own() -> None:
    both = worker("lms-worker", "edx.lms.core.default,edx.lms.core.high")
    (problem,) = problems("two-consumers", *split_site(lms_worker=both))
    assert (problem.severity, problem.resource and problem.resource.name) == ("warning", "lms-worker-high")
    assert "consumes edx.lms.core.high, which lms-worker consumes, too" in problem.message


def test_other_namespaces_have_queues_of_their_own() -> None:
    assert found(worker("lms-worker", "a"), worker("lms-worker", "a", namespace="other")) == []


def test_a_queue_named_twice_in_one_worker() -> None:
    assert found(worker("lms-worker", "a,a")) == []


def test_a_worker_without_pods_takes_nothing() -> None:
    rival = worker("lms-spare", "edx.lms.core.high", replicas=0)
    assert found(*split_site(), rival) == []
    assert found(*split_site(), worker("lms-spare", "edx.lms.core.high")) != []
