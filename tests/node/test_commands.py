"""What looks into a live site, by the real `kubectl exec` and by the Jobs that it prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.broker_site import IN_FLIGHT_OF_HIGH
from tests.builds import QUEUES
from tests.control_plane.operator_site import NAMESPACE
from tests.node.nodes import wait
from tests.node.site import NodeSite
from tests.node.test_pods import ALWAYS, WORKERS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.node.nodes import Nodes

HIGH = QUEUES["lms-worker-high"]


def test_verify_and_tasks(nodes: Nodes, tmp_path: Path) -> None:
    site = NodeSite(nodes, tmp_path)
    site.operator.tutor("k8s", "start")
    build = site.apply("production")
    site.wait_working(*ALWAYS)

    said = site.run("verify", build)
    assert said
    found = json.loads(site.run("tasks", "--output=json", build))
    printed = site.run("tasks", "--print-job", build)
    answers = job_logs(nodes, printed)
    files = []
    for number, answer in enumerate(answers):
        files.append(tmp_path / f"answer-{number}")
        files[-1].write_text(answer)
    again = json.loads(site.run("tasks", "--output=json", *(f"--answer={file}" for file in files), build))
    assert again == found


def test_in_flight(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    site = NodeSite(nodes, tmp_path)
    build = site.apply_workers(builds, defaults={"concurrency": 1})
    site.wait_working(*WORKERS)
    # Long enough for the printed Job's pod to come and go meanwhile.
    [task, unwanted] = [site.send(HIGH, seconds=150)[0], site.send(HIGH, seconds=150)[0]]
    site.wait_started(task)

    listed = keys(site.run("in-flight", "list", "--output=json", build))
    assert [item["id"] for item in listed[IN_FLIGHT_OF_HIGH]["messages"]] == [task]
    by_job = job_logs(nodes, site.run("in-flight", "list", "--print-job", build))
    assert task in by_job[0]
    assert unwanted in site.run("in-flight", "drop", "--yes", unwanted, build)

    # The pod is gone from one moment to the next; its task is nobody's.
    [pod] = site.running("lms-worker-high")
    nodes.cluster.kubectl("delete", "pod", pod, f"--namespace={NAMESPACE}", "--force", "--grace-period=0")
    site.wait_working("lms-worker-high")
    refused = site.run("in-flight", "restore", "lms-worker-high", build, status=1)
    assert "lms-worker-high" in refused
    said = site.run("in-flight", "restore", "--orphaned", "--older-than=0", "lms-worker-high", build)
    assert said
    site.wait_finished(task)

    assert site.times("started", [task, unwanted]) == {task: 2, unwanted: 0}
    assert site.times("finished", [task]) == {task: 1}


def keys(text: str) -> dict[str, dict[str, Any]]:
    return {found["key"]: found for found in json.loads(text)["keys"]}


def job_logs(nodes: Nodes, printed: str) -> list[str]:
    """Create the Jobs that are printed, as they say, wait for them, and return their logs."""
    created = nodes.cluster.kubectl("create", "--filename=-", stdin=printed).stdout
    names = [line.split()[0].rpartition("/")[2] for line in created.splitlines()]

    def state() -> str:
        return nodes.cluster.kubectl(
            "describe", "jobs,pods", "-lapp.kubernetes.io/part-of=openedx", f"--namespace={NAMESPACE}"
        ).stdout[-3000:]

    def has_ended(name: str) -> bool:
        return bool(nodes.cluster.get("job", NAMESPACE, name)["status"].get("succeeded"))

    for name in names:
        wait(lambda name=name: has_ended(name), f"{name} to end", state=state)  # type: ignore[misc]
    return [nodes.cluster.kubectl("logs", f"job/{name}", f"--namespace={NAMESPACE}").stdout for name in names]
