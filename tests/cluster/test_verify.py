"""What a worker's own word is held against, where a real one can't easily be brought to say it."""

from __future__ import annotations

from typing import Any

import pytest
import versions
from celery.utils import nodenames

from kustomizer.cluster.pods import LivePod, node_name
from kustomizer.cluster.verify import Verified, keys_with, minimum, pods_of, verified, without_pod
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.openedx.workers import EmittedWorker
from kustomizer.site.model import Site, SiteWorker
from kustomizer.worker_command.worker import find_worker
from tests import parts, sites

POD = LivePod(name="lms-worker-high-1", container="lms-worker-high", service="lms", labels={})
ANSWER: dict[str, Any] = {
    "queues": ["q"],
    "lists": ["q"],
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
    worker = SiteWorker(emitted=emitted, unacked_key="unacked.lms-worker-high", own_visibility_timeout=7200, late=True)
    return verified(worker, POD, {**ANSWER, **said})


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


def test_a_percent_sign_of_tutor_16_is_named_as_its_celery_names_it() -> None:
    """Celery 5.7 reads `%%` as a percent sign; Tutor 16 and 17, which write it, have older ones."""
    code = "from celery.utils import nodenames; print(nodenames.host_format('celery@high.%%h', host='pod-1.site'))"
    python = parts.present(parts.TOOLS / "flower" / versions.FLOWER.oldest / "bin" / "python")
    assert sites.run(python, "-c", code).decode().strip() == node_name("high.%%h", "pod-1.site")


BUILT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: lms-worker-high, namespace: openedx}
spec:
  selector: {matchLabels: {app.kubernetes.io/instance: ours, app.kubernetes.io/name: lms-worker-high}}
  template:
    spec:
      containers:
      - {name: lms-worker-high, args: [celery, --app=lms.celery, worker, --queues=edx.lms.core.high]}
"""
SCALED = """\
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: lms-worker-high-scaledobject, namespace: NAMESPACE}
spec: {scaleTargetRef: {name: lms-worker-high}, SPEC}
"""


def site(more: str = "") -> tuple[Site, SiteWorker]:
    found = Site(Resources(read_stream((BUILT + more).encode(), b"{}").resources))
    return found, found.workers[0]


def test_a_workers_pods_are_those_of_its_selector_the_newest_first() -> None:
    labels = {"app.kubernetes.io/instance": "ours", "app.kubernetes.io/name": "lms-worker-high"}
    old = POD.replace(name="old", labels={**labels, "pod-template-hash": "1"}, created="2026-01-01T00:00:00Z")
    new = old.replace(name="new", created="2026-02-01T00:00:00Z")
    another = old.replace(name="another", labels={**labels, "app.kubernetes.io/instance": "theirs"})
    sidecar = old.replace(name="sidecar", container="metrics")
    assert [pod.name for pod in pods_of(site()[1], [old, another, new, sidecar])] == ["new", "old"]


@pytest.mark.parametrize(
    ("spec", "namespace", "pods"),
    [
        ("", "", 1),
        ("maxReplicaCount: 4", "openedx", 0),
        ("minReplicaCount: 2", "openedx", 2),
        ("minReplicaCount: 2, idleReplicaCount: 0", "openedx", 0),
        ("minReplicaCount: 0", "elsewhere", 1),
    ],
)
def test_how_few_pods_a_worker_may_have(spec: str, namespace: str, pods: int) -> None:
    more = SCALED.replace("SPEC", spec).replace("NAMESPACE", namespace) if spec else ""
    assert minimum(*site(more)) == pods


def test_a_pod_that_is_only_finishing_its_tasks_is_none() -> None:
    """A grace period is hours: so long may the last pod of a worker that was scaled to 0 be there."""
    to_zero = site(SCALED.replace("SPEC", "minReplicaCount: 0").replace("NAMESPACE", "openedx"))
    stopping = POD.replace(is_stopping=True)

    done = without_pod(*to_zero, [stopping])
    assert (done.state, done.differences) == ("stopping: lms-worker-high-1, and 0 is its minimum", ())
    assert what(without_pod(*to_zero, [stopping, POD])) == ["pods"]
    assert what(without_pod(*site(""), [stopping])) == ["pods"]
