"""KEDA takes a worker from zero to many and back: real pods, real times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.builds import QUEUES
from tests.control_plane.operator_site import NAMESPACE
from tests.node.nodes import wait
from tests.node.site import NodeSite
from tests.node.test_disruptions import once

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.node.nodes import Nodes

HIGH = QUEUES["lms-worker-high"]
SCALED: dict[str, Any] = {"enabled": True, "minReplicas": 0, "maxReplicas": 3, "listLength": 2, "cooldownPeriod": 60}


def test_from_zero_to_many_and_back(nodes: Nodes, tmp_path: Path, builds: Builds) -> None:
    """The longest task goes on after the others, in a pod that is told to stop or is left to the end.

    The pod that the Deployment begins with is told to stop while it starts, and may not hear it.
    """
    site = NodeSite(nodes, tmp_path)
    site.apply_workers(
        builds,
        HIGH,
        workers={"lms": {"high": {"concurrency": 1, "terminationGracePeriodSeconds": 120, "keda": SCALED}}},
    )
    site.wait_ready("redis")
    wait(lambda: not nodes.pods(NAMESPACE, "lms-worker-high"), "no pods", seconds=300, state=site.state)

    long = site.send(HIGH, seconds=100)
    short = site.send(HIGH, seconds=45, count=8)
    wait(lambda: len(site.running("lms-worker-high")) == 3, "three pods", seconds=300, state=site.state)
    site.wait_finished(*short, *long, seconds=900)
    pods = {event["pod"] for event in site.events("finished")}
    wait(lambda: not nodes.pods(NAMESPACE, "lms-worker-high"), "no pods again", seconds=900, state=site.state)

    once(site, long, short)
    assert len(pods) == 3
