"""dropped-replicas: a number that falls to the default."""

from __future__ import annotations

from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import scaled_object, worker


def test_a_number_that_is_no_longer_stated() -> None:
    before, after = [worker("lms-worker", replicas=3)], [worker("lms-worker")]
    (problem,) = problems("dropped-replicas", before, after)
    assert problem.severity == "warning"
    assert "3 before" in problem.message
    assert "nothing in the build scales it up" in problem.message


def test_an_autoscaler_that_puts_it_up_again() -> None:
    after = [worker("lms-worker"), scaled_object("lms-worker", minReplicaCount=1)]
    (problem,) = problems("dropped-replicas", [worker("lms-worker", replicas=3)], after)
    assert "until ScaledObject lms-worker-scaledobject" in problem.message


def test_what_was_the_default() -> None:
    assert found("dropped-replicas", [worker("lms-worker", replicas=1)], [worker("lms-worker")]) == []
    assert found("dropped-replicas", [worker("lms-worker", replicas=3)], [worker("lms-worker", replicas=2)]) == []


def test_a_number_with_a_point_is_one() -> None:
    assert found("dropped-replicas", [worker("lms-worker", replicas=3.0)], [worker("lms-worker")]) != []
    assert found("dropped-replicas", [worker("lms-worker", replicas=3)], [worker("lms-worker", replicas="${N}")]) == []
