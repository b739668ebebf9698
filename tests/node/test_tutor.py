"""Tutor's own commands on a real node: what they start has to run, and what their Jobs name has to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.control_plane.api import RefusedError
from tests.control_plane.operator_site import NAMESPACE, consumers
from tests.control_plane.split_site import SplitSite
from tests.control_plane.test_acceptance import RECOMMENDED
from tests.node.nodes import SITE
from tests.node.site import NodeSite
from tests.node.test_pods import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.node.nodes import Nodes


def test_start_init_and_do_beside_the_overlay(nodes: Nodes, tmp_path: Path) -> None:
    site = NodeSite(nodes, tmp_path)
    site.operator.tutor("k8s", "start")
    site.apply("production")
    site.wait_working(*ALWAYS)

    for arguments in (
        ("init", "--limit=mysql"),
        ("init", "--limit=lms"),
        ("init", "--limit=cms"),
        ("do", "settheme", "indigo"),
    ):
        assert "successful." in with_logs(nodes, site.operator.tutor, "k8s", *arguments)
    said = logs_of_jobs(nodes)
    assert "manage.py lms migrate with lms.envs.tutor.production edx.lms.core.default" in said
    assert "manage.py cms migrate with cms.envs.tutor.production edx.cms.core.default" in said

    # Tutor's workers take all queues, until the overlay is applied again.
    site.operator.tutor("k8s", "start")
    site.wait_working("lms-worker", "cms-worker")
    site.apply("production")
    site.wait_working(*ALWAYS)
    assert consumers(nodes.cluster) == RECOMMENDED


def test_the_split_in_tutors_own_output(nodes: Nodes, tmp_path: Path) -> None:
    site = NodeSite(nodes, tmp_path)
    split = SplitSite(tmp_path / "split", nodes.cluster, SITE, config=SITE)
    split.enable()

    split.tutor("k8s", "start")
    site.wait_ready("redis")
    site.wait_working("lms-worker", "cms-worker")
    assert consumers(nodes.cluster) == RECOMMENDED
    assert "successful." in with_logs(nodes, split.tutor, "k8s", "init", "--limit=lms")
    assert "manage.py lms migrate with lms.envs.tutor.production" in logs_of_jobs(nodes)
    split.tutor("k8s", "start")

    site.wait_working("lms-worker", "cms-worker")
    assert consumers(nodes.cluster) == RECOMMENDED


def with_logs(nodes: Nodes, tutor: Callable[..., str], *arguments: str) -> str:
    """Return what Tutor says; where it fails, what its Jobs have written is in the error."""
    try:
        return tutor(*arguments)
    except RefusedError as error:
        raise AssertionError(f"{error}\n{logs_of_jobs(nodes)}") from error


def logs_of_jobs(nodes: Nodes) -> str:
    """Return what the pods of Tutor's Jobs have written."""
    return nodes.cluster.kubectl(
        "logs", "-lbatch.kubernetes.io/job-name", f"--namespace={NAMESPACE}", "--tail=-1"
    ).stdout
