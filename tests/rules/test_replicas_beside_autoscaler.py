"""replicas-beside-autoscaler: a number of pods that each apply sets."""

from __future__ import annotations

from tests.rules.small_site import finder, hpa, scaled_object, worker

found = finder("replicas-beside-autoscaler")


def test_no_replicas_are_stated() -> None:
    assert found(worker("lms-worker"), scaled_object("lms-worker"), worker("cms-worker", replicas=3)) == []


def test_replicas_are_stated() -> None:
    workers = [worker("lms-worker", replicas=2), worker("cms-worker", replicas=0)]
    assert found(*workers, scaled_object("lms-worker"), hpa("cms-worker")) == [
        ("warning", "cms-worker"),
        ("warning", "lms-worker"),
    ]
