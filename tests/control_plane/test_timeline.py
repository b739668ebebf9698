"""Pods, waiting and running tasks over time, from a journal that is written here by hand."""

from __future__ import annotations

from tests.control_plane.accounting import PodTime
from tests.control_plane.journal import Event
from tests.control_plane.timeline import timeline

QUEUE = "edx.lms.core.high"


def pod(name: str, deployment: str, started: float, ended: float, how: str = "stopped") -> PodTime:
    return PodTime(name=name, deployment=deployment, created=started, started=started, ended=ended, how=how)


def test_shows_what_waits_runs_and_works_for_the_queue() -> None:
    events = [
        Event(at=0.0, event="sent", task="a", queue=QUEUE),
        Event(at=1.0, event="started", task="a", queue=QUEUE, pod="p1", attempt="1"),
        Event(at=1.0, event="sent", task="b", queue=QUEUE, countdown=1.0),
        Event(at=4.0, event="started", task="a", queue=QUEUE, pod="p2", attempt="2"),
        Event(at=5.0, event="finished", task="a", queue=QUEUE, pod="p2", attempt="2"),
    ]
    pods = [pod("p1", "high", 1, 3, "lost"), pod("p2", "high", 2, 0), pod("p3", "other", 0, 0)]

    found = timeline(events, pods, {"high": [QUEUE], "other": ["x"]}, [QUEUE], began=0.0, end=6.0, factor=10)

    assert found == {
        "step": 10,
        "queues": {
            QUEUE: {
                "pods": [0, 1, 2, 1, 1, 1, 1],
                "waiting": [1, 0, 1, 1, 1, 1, 1],
                "running": [0, 1, 1, 0, 1, 0, 0],
            }
        },
    }


def test_a_long_run_has_no_more_points_than_a_picture_shows() -> None:
    found = timeline([], [], {}, [QUEUE], began=0.0, end=900.0, factor=10)

    assert found["step"] == 80
    assert len(found["queues"][QUEUE]["pods"]) == 113
