"""What Kubernetes and the kernel do to workers at work: no task is lost, none done twice. Times are real."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.builds import QUEUES
from tests.control_plane.api import ApiError
from tests.control_plane.operator_site import NAMESPACE
from tests.node.nodes import open_edx_image, wait
from tests.node.site import NodeSite
from tests.parts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.node.nodes import Nodes

HIGH, HIGH_MEM = QUEUES["lms-worker-high"], QUEUES["lms-worker-high-mem"]
ONE: dict[str, Any] = {"concurrency": 1, "terminationGracePeriodSeconds": 600}
LONG = 150
# The first process of a container ignores SIGTERM unless it says otherwise.
ENDS = "trap exit TERM; sleep infinity & wait"


def test_a_rollout_lets_tasks_end(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """Far longer than Kubernetes' own 30 s of grace; the ones that wait go to the new pods meanwhile."""
    site = NodeSite(nodes, tmp_path)
    high = {**ONE, "replicas": 2}
    site.apply_workers(builds, HIGH, workers={"lms": {"high": high}})
    site.wait_working("lms-worker-high")
    before = site.running("lms-worker-high")
    running = site.send(HIGH, seconds=LONG, count=2)
    site.wait_started(*running)
    waiting = site.send(HIGH, seconds=1, count=6)

    newer = {**high, "env": [{"name": "RELEASE", "value": "new"}]}
    site.apply_workers(builds, HIGH, workers={"lms": {"high": newer}})
    site.wait_working("lms-worker-high")
    site.wait_finished(*waiting)
    assert not any(site.times("finished", running).values())
    site.wait_finished(*running)
    site.wait_gone(*before)

    once(site, running, waiting)
    pods = {event["task"]: event["pod"] for event in site.events("finished")}
    assert {pods[task] for task in running} == set(before)
    assert not {pods[task] for task in waiting} & set(before)


def test_a_drain_heeds_the_budget_and_lets_tasks_end(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    other = nodes.second()
    site = NodeSite(nodes, tmp_path)
    first = nodes.all[0].name
    nodes.cluster.kubectl("cordon", other.name)
    budget = {"maxUnavailable": 1}
    site.apply_workers(builds, HIGH, workers={"lms": {"high": {**ONE, "replicas": 2, "podDisruptionBudget": budget}}})
    site.wait_ready("redis")
    site.wait_working("lms-worker-high")
    tasks = site.send(HIGH, seconds=LONG, count=2)
    site.wait_started(*tasks)
    before = site.running("lms-worker-high")
    nodes.cluster.kubectl("uncordon", other.name)
    nodes.cluster.kubectl("cordon", first)

    # The second one is refused as long as the first has no substitute that is ready.
    evict(nodes, before[0])
    with pytest.raises(ApiError) as refused:
        evict(nodes, before[1])
    assert refused.value.status == 429
    drain = ("drain", first, "--pod-selector=app.kubernetes.io/name=lms-worker-high", "--timeout=100s")
    site.wait_working("lms-worker-high")
    with pytest.raises(AssertionError, match=r"deadline exceeded|global timeout|timed out"):
        nodes.cluster.kubectl(*drain)
    site.wait_finished(*tasks)
    site.wait_gone(*before)
    nodes.cluster.kubectl(*drain)
    later = site.send(HIGH, count=4)
    site.wait_finished(*later)

    once(site, tasks, later)
    assert {node_of(nodes, pod) for pod in site.running("lms-worker-high")} == {other.name}


def test_a_pod_that_is_told_to_stop_while_it_starts_is_gone_at_once(
    nodes: Nodes, tmp_path: Path, builds: Builds
) -> None:
    """It neither waits for its grace period to be over nor takes a task meanwhile."""
    site = NodeSite(nodes, tmp_path)
    env = [{"name": "HELD_AT", "value": "settings"}, {"name": "HELD_UNTIL", "value": "/never"}]
    site.apply_workers(builds, HIGH, workers={"lms": {"high": {**ONE, "env": env}}})
    site.wait_ready("redis")
    site.wait_ready("lms-worker-high")
    [pod] = site.running("lms-worker-high")
    wait(lambda: "held at settings" in site.log(pod, "lms-worker-high"), "it to load", state=site.state)
    [task] = site.send(HIGH)

    began = time.monotonic()
    nodes.cluster.kubectl("delete", "pod", pod, f"--namespace={NAMESPACE}", "--wait=false")
    site.wait_gone(pod)

    assert time.monotonic() - began < 60 < ONE["terminationGracePeriodSeconds"]
    site.apply_workers(builds, HIGH, workers={"lms": {"high": ONE}})
    site.wait_finished(task)
    once(site, [task])


def test_with_the_pages_hook_a_pod_that_is_deleted_before_it_runs_is_gone_at_once(
    nodes: Nodes, tmp_path: Path, builds: Builds
) -> None:
    """Without it such a pod is started, told to stop in the same moment, and hears nothing."""
    page = (ROOT / "docs" / "operations.md").read_text()
    [hook] = [block for block in page.split("```yaml\n")[1:] if "preStop" in block]
    lifecycle = yaml.safe_load(hook.partition("```")[0])["spec"]["defaults"]["lifecycle"]
    site = NodeSite(nodes, tmp_path)
    env = [{"name": "HELD_AT", "value": "settings"}, {"name": "HELD_UNTIL", "value": "/never"}]
    site.apply_workers(builds, HIGH, workers={"lms": {"high": {**ONE, "env": env, "lifecycle": lifecycle}}})
    site.wait_ready("redis", "lms-worker-high")
    for _ in range(3):
        [pod] = site.running("lms-worker-high")
        began = time.monotonic()
        nodes.cluster.kubectl("delete", "pod", pod, f"--namespace={NAMESPACE}", "--wait=false")
        wait(lambda pod=pod: site.running("lms-worker-high") not in ([pod], []), "the next one", state=site.state)  # type: ignore[misc]
        site.wait_gone(pod)
        assert time.monotonic() - began < 60 < ONE["terminationGracePeriodSeconds"]


def test_the_kernel_kills_a_tasks_process_for_its_memory(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    site = NodeSite(nodes, tmp_path)
    limited = {**ONE, "concurrency": 2, "resources": {"requests": {"memory": "100Mi"}, "limits": {"memory": "400Mi"}}}
    site.apply_workers(builds, HIGH_MEM, celery={"rejectOnWorkerLost": True}, workers={"lms": {"high_mem": limited}})
    site.wait_working("lms-worker-high-mem")
    [pod] = site.running("lms-worker-high-mem")
    [beside] = site.send(HIGH_MEM, seconds=60)
    site.wait_started(beside)

    [hungry] = site.send(HIGH_MEM, seconds=1, megabytes=500)
    site.wait_finished(hungry, beside)

    # The one that was killed ran again, at once; the worker, and the task beside it, never noticed.
    assert site.times("started", [hungry, beside]) == {hungry: 2, beside: 1}
    assert site.times("finished", [hungry, beside]) == {hungry: 1, beside: 1}
    assert site.restarts(pod) == 0
    assert "signal 9 (SIGKILL)" in site.log(pod, "lms-worker-high-mem")


def test_the_kernel_kills_the_worker_for_its_memory(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """Of the container's first process the kubelet notices: the container is restarted, in the same pod."""
    site = NodeSite(nodes, tmp_path)
    limited = {
        **ONE,
        "visibilityTimeout": 700,
        "resources": {"requests": {"memory": "100Mi"}, "limits": {"memory": "400Mi"}},
    }
    build = site.apply_workers(builds, HIGH_MEM, workers={"lms": {"high_mem": limited}})
    site.wait_working("lms-worker-high-mem")
    [pod] = site.running("lms-worker-high-mem")
    [task] = site.send(HIGH_MEM, seconds=20)
    site.wait_started(task)

    site.tell(pod, "grow", answers=False, megabytes=500)
    wait(lambda: site.restarts(pod) == 1, "the container to be restarted", state=site.state)
    status = nodes.cluster.get("pod", NAMESPACE, pod)["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    site.wait_working("lms-worker-high-mem")
    site.restore_orphans(build)
    site.wait_finished(task)

    assert site.times("finished", [task]) == {task: 1}
    assert site.times("started", [task]) == {task: 2}


def test_a_sidecar_and_an_init_container(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """As others patch them in: a sidecar is there until the worker has ended, and ends then."""
    image = {"image": open_edx_image(), "securityContext": {"allowPrivilegeEscalation": False}}
    sidecar = {**image, "name": "proxy", "command": ["sh", "-c", ENDS], "restartPolicy": "Always"}
    first = {**image, "name": "prepare", "command": ["sh", "-c", "sleep 3"]}

    def patch(deployment: dict[str, Any]) -> None:
        deployment["spec"]["template"]["spec"]["initContainers"] = [first, sidecar]

    site = NodeSite(nodes, tmp_path)
    site.apply_workers(builds, HIGH, change=patch, defaults=ONE)
    site.wait_working("lms-worker-high")
    [pod] = site.running("lms-worker-high")
    [task] = site.send(HIGH, seconds=60)
    site.wait_started(task)
    nodes.cluster.kubectl("delete", "pod", pod, f"--namespace={NAMESPACE}", "--wait=false")
    site.wait_finished(task)
    site.wait_gone(pod)

    once(site, [task])


def test_a_node_that_fails_and_comes_back(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """Everything on it is killed at once, Redis with it, which has its data on the disk. It is back after a minute."""
    site = NodeSite(nodes, tmp_path)
    settings = {"concurrency": 1, "terminationGracePeriodSeconds": 60, "visibilityTimeout": 150}
    build = site.apply_workers(builds, HIGH, HIGH_MEM, defaults=settings)
    site.wait_working("lms-worker-high", "lms-worker-high-mem")
    running = [*site.send(HIGH, seconds=60), *site.send(HIGH_MEM, seconds=60)]
    site.wait_started(*running)
    waiting = site.send(HIGH, seconds=1, count=5)
    # Tutor's Redis writes to its disk about every second.
    time.sleep(3)

    for node in nodes.all:
        node.switch_off()
    wait(lambda: not nodes.all[0].is_ready(), "the node to be missed", seconds=180)
    for node in nodes.all:
        node.start()
    site.wait_ready("redis")
    site.wait_working("lms-worker-high", "lms-worker-high-mem")
    site.wait_finished(*waiting)
    said = json.loads(site.run("in-flight", "list", "--output=json", build))
    assert {message["id"] for key in said["keys"] for message in key["messages"]} == set(running)
    # What was taken before Redis restarted is left to the visibility timeout (docs/in-flight.md).
    site.wait_finished(*running)

    assert site.times("started", running) == dict.fromkeys(running, 2)
    assert site.times("finished", [*running, *waiting]) == dict.fromkeys([*running, *waiting], 1)


def once(site: NodeSite, *tasks: list[str]) -> None:
    """Fail unless each of these tasks was started and finished, once."""
    names = [name for some in tasks for name in some]
    assert site.times("started", names) == dict.fromkeys(names, 1)
    assert site.times("finished", names) == dict.fromkeys(names, 1)


def evict(nodes: Nodes, pod: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    nodes.cluster.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction", body)


def node_of(nodes: Nodes, pod: str) -> str:
    return str(nodes.cluster.get("pod", NAMESPACE, pod)["spec"]["nodeName"])
