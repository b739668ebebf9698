"""Each pod of a site, under its own security context, with its own volumes and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.control_plane.operator_site import NAMESPACE
from tests.node.site import NodeSite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node.nodes import Nodes


SCALED = ("lms-worker-high-mem", "cms-worker-high", "cms-worker-low")
ALWAYS = ("lms-worker", "lms-worker-high", "cms-worker")


def test_tutors_own_and_then_the_production_overlay(nodes: Nodes, tmp_path: Path) -> None:
    site = NodeSite(nodes, tmp_path)
    site.operator.tutor("k8s", "start")
    site.wait_ready("redis")
    site.wait_working("lms-worker", "cms-worker")

    site.apply("production")

    site.wait_ready("redis", "flower")
    site.wait_working(*ALWAYS)
