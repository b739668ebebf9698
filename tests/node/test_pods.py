"""Each pod of a site, under its own security context, with its own volumes and probes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.builds import QUEUES
from tests.control_plane.operator_site import NAMESPACE
from tests.node.nodes import wait
from tests.node.site import NodeSite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.node.nodes import Nodes

WORKERS = ("lms-worker", "lms-worker-high", "lms-worker-high-mem", "cms-worker", "cms-worker-high", "cms-worker-low")
ALWAYS = ("lms-worker", "lms-worker-high", "cms-worker")
"""Of overlays/production: KEDA keeps a pod of these, and none of the others."""
LOOK = (
    "id -u; id -g; ls lms/envs/tutor; grep -c NoNewPrivs:.1 /proc/1/status; touch /usr/it 2>/dev/null || echo refused"
)


def test_tutors_own_and_then_the_production_overlay(nodes: Nodes, tmp_path: Path) -> None:
    site = NodeSite(nodes, tmp_path)
    site.operator.tutor("k8s", "start")
    site.wait_ready("redis")
    site.wait_working("lms-worker", "cms-worker")

    site.apply("production")

    site.wait_ready("redis", "flower")
    site.wait_working(*ALWAYS)
    for worker in ALWAYS:
        for pod in site.running(worker):
            assert site.restarts(pod) == 0
            said = exec_in(nodes, pod, "sh", "-c", LOOK).split()
            assert said[:2] == ["1000", "1000"]
            assert said[-2:] == ["1", "refused"]
            assert "production.py" in said


def test_every_worker_of_the_recommended_configuration(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    site = NodeSite(nodes, tmp_path)
    site.apply_workers(builds)

    site.wait_working(*WORKERS)
    tasks = [task for worker in WORKERS for task in site.send(QUEUES[worker])]
    site.wait_finished(*tasks)

    assert set(site.times("started", tasks).values()) == {1}
    assert {item["pod"].rsplit("-", 2)[0] for item in site.events("finished")} == set(WORKERS)


def test_celerys_probe_restarts_what_asks_no_more_and_nobody_else(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """A worker that works for longer than the probe waits, an idle one, and one that lives and takes no task more."""
    site = NodeSite(nodes, tmp_path)
    watched = {"livenessProbe": "Celery", "concurrency": 1, "terminationGracePeriodSeconds": 600}
    names = ("lms-worker-high", "lms-worker-high-mem", "lms-worker")
    more: dict[str, Any] = {"defaults": watched, "workers": {"lms": {"high_mem": {"concurrency": 2}}}}
    site.apply_workers(builds, *(QUEUES[name] for name in names), **more)
    site.wait_working(*names)
    [busy], [deaf], [idle] = (site.running(name) for name in names)
    long = site.send(QUEUES["lms-worker-high"], seconds=420, count=3)
    # The probe has waited for 180 s, and failed three times in 90 more: the task then gets the grace period.
    [last] = site.send(QUEUES["lms-worker-high-mem"], seconds=360)
    site.wait_started(last)
    began = time.monotonic()
    site.tell(deaf, "stop_asking")
    [later] = site.send(QUEUES["lms-worker-high-mem"])

    wait(lambda: site.restarts(deaf) == 1, "the deaf worker to be restarted", seconds=900, state=site.state)
    took = time.monotonic() - began
    site.wait_finished(last, later)
    site.wait_finished(long[0])

    assert site.times("started", [last, later, long[0]]) == {last: 1, later: 1, long[0]: 1}
    assert (site.restarts(busy), site.restarts(idle)) == (0, 0)
    assert 180 < took < 600
    killed = nodes.cluster.kubectl(
        "get", "events", f"--namespace={NAMESPACE}", "--field-selector=reason=Killing"
    ).stdout
    assert f"pod/{deaf}" in killed
    assert "failed liveness probe" in killed


def exec_in(nodes: Nodes, pod: str, *command: str) -> str:
    """Return what a command in a pod prints."""
    return nodes.cluster.kubectl("exec", f"--namespace={NAMESPACE}", pod, "--", *command).stdout
