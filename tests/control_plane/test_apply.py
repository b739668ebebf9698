"""`tutor-kustomizer apply` on a real API server, between Tutor's own commands, as docs/operations.md has it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import sites
from tests.control_plane.operator_site import NAMESPACE, OperatorSite, consumers
from tests.control_plane.test_acceptance import RECOMMENDED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

TUTORS = {queue: [f"{queue.split('.')[1]}-worker"] for queue in RECOMMENDED}
COPIES = {"lms-worker-high", "lms-worker-high-mem", "cms-worker-high", "cms-worker-low"}


@pytest.fixture
def site(cluster: Cluster, tmp_path: Path) -> OperatorSite:
    """Return a site that Tutor has started, with an overlay that was built."""
    made = OperatorSite(tmp_path, cluster, "22")
    made.tutor("k8s", "start")
    (made.root / "site.yaml").write_bytes(made.build("production"))
    return made


def apply(site: OperatorSite, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from kustomizer.cli import run; run()", "apply", "site.yaml", "--yes", *arguments]
    env = {**site.cluster.environ, "PYTHONPATH": str(sites.ROOT), "COLUMNS": "80"}
    return subprocess.run(command, cwd=site.root, env=env, capture_output=True, text=True, check=False)


def test_between_tutors_commands(site: OperatorSite, cluster: Cluster) -> None:
    with cluster.paused():
        first = apply(site)
        assert first.returncode == 0, first.stderr
        assert "Deployment openedx/lms-worker-high: takes edx.lms.core.high" in first.stdout
        assert consumers(cluster) == RECOMMENDED
        again = apply(site)
        assert (again.returncode, again.stderr) == (0, "")
        assert "Nothing changes." in again.stdout

    # Tutor's workers take all queues again, beside the copies: each queue has a worker.
    site.tutor("k8s", "start")
    assert consumers(cluster) == {
        queue: sorted({*TUTORS[queue], *RECOMMENDED[queue]}, key=len) for queue in RECOMMENDED
    }
    assert apply(site).returncode == 0
    assert consumers(cluster) == RECOMMENDED

    scalers = {item["metadata"]["name"] for item in cluster.get("scaledobjects.keda.sh", NAMESPACE)}
    site.tutor("k8s", "reboot")
    assert consumers(cluster) == TUTORS
    assert not [item for item in cluster.get("deployments", NAMESPACE) if item["metadata"]["name"] in COPIES]
    assert {item["metadata"]["name"] for item in cluster.get("scaledobjects.keda.sh", NAMESPACE)} == scalers
    assert apply(site).returncode == 0
    assert consumers(cluster) == RECOMMENDED


def test_what_others_own_is_not_taken(site: OperatorSite, cluster: Cluster) -> None:
    patch = '{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}}'
    arguments = ("patch", "--namespace", NAMESPACE, "deployment", "lms-worker", "--field-manager=somebody", "-p", patch)
    cluster.kubectl(*arguments)
    refused = apply(site)
    assert refused.returncode == 1
    assert (
        f"Deployment lms-worker in namespace {NAMESPACE}: somebody owns "
        "spec.template.spec.terminationGracePeriodSeconds"
    ) in refused.stderr
    assert len(refused.stderr.splitlines()) <= 5
    assert "Please review" not in refused.stderr
    assert consumers(cluster) == TUTORS
    assert apply(site, "--force-conflicts").returncode == 0
    assert consumers(cluster) == RECOMMENDED


def test_a_cluster_without_the_namespace_yet(cluster: Cluster, tmp_path: Path) -> None:
    site = OperatorSite(tmp_path, cluster, "22")
    (site.root / "site.yaml").write_bytes(site.build("production"))
    shown = apply(site, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert f"Namespace {NAMESPACE}" in shown.stdout
    passwords = re.findall(
        r"(?m)^\w*(?:PASSWORD|SECRET|MASTER_KEY): (\S+)$", (site.root / "tutor/config.yml").read_text()
    )
    assert len(passwords) > 3
    assert not [password for password in passwords if password in shown.stdout]
    assert consumers(cluster) == {}
    first = apply(site)
    assert first.returncode == 0, first.stderr
    assert consumers(cluster) == RECOMMENDED
    assert "Nothing changes." in apply(site, "--dry-run").stdout


def test_a_namespace_that_nobody_makes(cluster: Cluster, tmp_path: Path) -> None:
    site = OperatorSite(tmp_path, cluster, "22")
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nowhere}\n"
    (site.root / "site.yaml").write_text(text)
    refused = apply(site)
    assert refused.returncode == 1
    assert refused.stderr.endswith("The build doesn't make it: kubectl create namespace nowhere\n")


def test_a_kind_that_the_cluster_does_not_know(cluster: Cluster, tmp_path: Path) -> None:
    """As a plugin's VerticalPodAutoscalers are where nobody has installed their controller."""
    head = "apiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {name: %s-vpa}\n"
    (tmp_path / "site.yaml").write_text("---\n".join(head % name for name in ("cms", "lms", "mfe", "notes")))
    command = [sys.executable, "-c", "from kustomizer.cli import run; run()", "apply", "site.yaml", "--yes"]
    env = {**cluster.environ, "PYTHONPATH": str(sites.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "doesn't know VerticalPodAutoscaler of autoscaling.k8s.io/v1: cms-vpa, lms-vpa and 2 more" in done.stderr
