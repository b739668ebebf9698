"""What differs in who takes which queue."""

from __future__ import annotations

from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.queue_changes import QueueChange, queue_changes
from kustomizer.site.queues import Guard, QueueRow, Scaling
from tests.diff.reports.samples import RICH

ROW = QueueRow(
    namespace="openedx",
    service="lms",
    queue="edx.lms.core.high",
    deployment="lms-worker",
    guard=Guard(late=True, grace_period=600),
)


def changes(before: QueueRow, after: QueueRow) -> list[tuple[str, str, str, str]]:
    found = queue_changes(Comparison(objects=(), queues=((before,), (after,))))
    return [(each.sign, each.worker, each.before, each.after) for each in found]


def test_what_comes_and_goes() -> None:
    gone, new = queue_changes(RICH)
    assert gone == QueueChange(queue="edx.lms.core.high", worker="lms-worker", before="1, fixed", after="", sign="-")
    assert (new.sign, new.worker, new.before) == ("+", "lms-worker-high", "")
    assert [each.sign for each in queue_changes(RICH, every=True)] == [" ", "-", "+"]


def test_only_what_differs_of_a_worker_that_stays() -> None:
    after = ROW.replace(
        scaling=Scaling(by="KEDA", minimum=0, maximum=5, list_length=40), guard=ROW.guard.replace(counted="Zero")
    )
    assert changes(ROW, after) == [("~", "lms-worker", "1, fixed", "KEDA 0-5; 1 per 40 queued; in flight: Zero")]
    assert changes(ROW, ROW.replace(guard=Guard(late=False))) == [("~", "lms-worker", "600s grace", "no guard")]
    assert changes(ROW, ROW.replace(guard=Guard())) == [("~", "lms-worker", "600s grace", "")]


def test_a_queue_that_loses_its_worker() -> None:
    assert changes(ROW, ROW.replace(deployment="")) == [
        ("-", "lms-worker", "1, fixed; 600s grace", ""),
        ("!", "nobody", "", "tasks wait for ever"),
    ]


def test_a_queue_in_two_namespaces() -> None:
    other = ROW.replace(namespace="staging")
    found = queue_changes(Comparison(objects=(), queues=((ROW,), (ROW, other))))
    assert [each.queue for each in found] == ["staging/edx.lms.core.high"]
