"""The short words of a table of queues are explained, those that are in it."""

from __future__ import annotations

from kustomizer.site.legend import counting, legend
from kustomizer.site.queues import Guard, QueueRow, Scaling

SCALING = Scaling(by="KEDA", maximum=5, list_length=40)


def row(counted: str = "", *, late: bool = True, grace: int = 600, scaling: Scaling = SCALING) -> QueueRow:
    guard = Guard(late=late, counted=counted, grace_period=grace)
    return QueueRow(namespace="a", service="lms", queue="q", deployment="w", scaling=scaling, guard=guard)


def test_what_is_shown_is_explained() -> None:
    each, in_flight = legend([row("Zero"), row("Slots")])
    assert each == "each: the waiting tasks for which KEDA asks for one more pod."
    assert in_flight == (
        "in flight: Zero keeps the last pod while a task runs; Slots counts tasks that run as it counts those that wait"
        "; seconds are what a pod that stops has to finish its tasks."
    )


def test_what_is_not_shown_is_not() -> None:
    assert legend([row(grace=0, scaling=Scaling())]) == []
    assert legend([row("Zero", late=False, scaling=Scaling())]) == [
        "in flight: no guard: a task that runs is lost when its pod is killed."
    ]
    assert legend([QueueRow(namespace="a", service="lms", queue="q")]) == []
    assert counting(["Slots", "600s", ""]) == ["In flight: Slots counts tasks that run as it counts those that wait."]
