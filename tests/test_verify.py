"""What a worker's own word is held against, where a real one can't easily be brought to say it."""

from __future__ import annotations

from typing import Any

import pytest
from celery.utils import nodenames

from kustomizer.celery_args import find_worker
from kustomizer.live_pods import LivePod, node_name
from kustomizer.resources import Resource
from kustomizer.site import Worker
from kustomizer.tutor import EmittedWorker
from kustomizer.verify import Verified, keys_with, verified

POD = LivePod(name="lms-worker-high-1", container="lms-worker-high", service="lms", labels={})
ANSWER: dict[str, Any] = {
    "queues": ["q"],
    "keys": ["unacked.lms-worker-high", "unacked_index.lms-worker-high", "unacked_mutex.lms-worker-high"],
    "timeout": 7200,
    "prefix": "",
    "database": 0,
    "tasks": 5,
    "early": [],
    "lost": ["a", "b", "c", "d", "e"],
    "concurrency": 2,
    "prefetch": 2,
    "scheduled": 0,
}


def looked_at(*options: str, **said: Any) -> Verified:
    given = ["celery", "worker", "--queues=q", "--concurrency=2", "--prefetch-multiplier=1", *options]
    line = find_worker(None, given)
    assert line is not None
    resource = Resource.new({"kind": "Deployment", "metadata": {"name": "lms-worker-high"}}, indent=0)
    emitted = EmittedWorker(service="lms", resource=resource, container=0, command_line=line)
    worker = Worker(emitted=emitted, unacked_key="unacked.lms-worker-high", late=True)
    return verified(worker, 7200, POD, {**ANSWER, **said})


def what(found: Verified) -> list[str]:
    return [difference.what for difference in found.differences]


def test_as_configured() -> None:
    assert (looked_at().differences, looked_at().notes) == ([], [])


def test_a_prefetch_count_that_has_drifted_is_a_difference() -> None:
    assert what(looked_at(prefetch=40)) == ["prefetch"]
    assert what(looked_at(prefetch=40, scheduled=38)) == []
    for option in ("--disable-prefetch", "--autoscale=4,1", "--pool=solo", "--prefetch-multiplier=0"):
        assert what(looked_at(option, prefetch=40)) == [], option


def test_tasks_that_acknowledge_early_by_themselves_are_noted() -> None:
    found = looked_at(early=["a", "b", "c", "d"])
    assert found.differences == []
    assert found.notes == [
        "a, b, c and 1 more acknowledge early, since they say so themselves: lost with a pod that goes"
    ]


def test_all_three_keys_count() -> None:
    shared = [ANSWER["keys"][0], "unacked_index", ANSWER["keys"][2]]
    assert what(looked_at(keys=shared)) == ["in-flight keys"]
    assert what(looked_at(keys=keys_with("unacked"))) == ["in-flight key"]
    assert what(looked_at(timeout=None)) == ["visibility timeout"]


@pytest.mark.parametrize(
    ("hostname", "node"),
    [
        ("edx.lms.core.high.%h", "celery@edx.lms.core.high.pod-1.site"),
        ("edx.lms.core.high.%%h", "celery@edx.lms.core.high.%pod-1.site"),
        ("w1@%n", "w1@pod-1"),
        ("w1@%d", "w1@site"),
        (None, "celery@pod-1.site"),
    ],
)
def test_a_node_is_named_as_celery_names_it(hostname: str | None, node: str) -> None:
    assert node_name(hostname, "pod-1.site") == node
    assert nodenames.host_format(nodenames.default_nodename(hostname), host="pod-1.site", name=None) in (
        node,
        node.replace("pod-1.site", nodenames.gethostname()),
    )
