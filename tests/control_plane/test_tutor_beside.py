"""What Tutor itself does to a cluster, before our overlay is applied, after it, and in place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import builds, sites
from tests.acceptance.test_overlays import is_template_job
from tests.control_plane.emissions import UPSTREAM_WORKERS
from tests.control_plane.kubelet import Kubelet
from tests.control_plane.operator_site import NAMESPACE, OperatorSite, consumers
from tests.control_plane.test_acceptance import RECOMMENDED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

PLAIN = {
    **{f"edx.lms.core.{variant}": ["lms-worker"] for variant in ("default", "high", "high_mem")},
    **{f"edx.cms.core.{variant}": ["cms-worker"] for variant in ("default", "high", "low")},
}


@pytest.fixture
def running(cluster: Cluster, tmp_path: Path) -> OperatorSite:
    """Return a site that `tutor k8s start` has started, with the production overlay over it."""
    site = OperatorSite(tmp_path, cluster, "22")
    site.tutor("k8s", "start")
    cluster.apply(site.build("production").decode(), force_conflicts=True)
    return site


def test_jobs_find_what_they_name(running: OperatorSite, cluster: Cluster, tmp_path: Path) -> None:
    """`tutor k8s do` and `init` wait until their Jobs' pods have ended, which have to start for that."""
    with Kubelet(cluster, directory=tmp_path / "pods") as kubelet:
        kubelet.let_jobs_succeed(NAMESPACE)
        assert "successful." in running.tutor("k8s", "do", "settheme", "indigo")
        assert "successful." in running.tutor("k8s", "init", "--limit=cms")

    assert running.active_jobs() == []
    assert consumers(cluster) == RECOMMENDED


def test_pruning_leaves_what_was_applied_server_side(running: OperatorSite, cluster: Cluster) -> None:
    ours = config_maps(running)
    assert ours <= names(cluster)

    running.tutor("k8s", "start", "--prune-configmaps")

    assert ours <= names(cluster)
    # The default workers are Tutor's again, until the overlay is applied again.
    assert consumers(cluster)["edx.lms.core.high"] == ["lms-worker", "lms-worker-high"]
    cluster.apply(running.build("production").decode(), force_conflicts=True)
    assert consumers(cluster) == RECOMMENDED


def test_pruning_takes_what_was_applied_client_side(cluster: Cluster, tmp_path: Path) -> None:
    """docs/operations.md says so, and to apply server-side."""
    site = OperatorSite(tmp_path, cluster, "22")
    site.tutor("k8s", "start")
    cluster.apply(site.build("multiqueue").decode(), server_side=False)
    ours = config_maps(site, "multiqueue")
    assert ours <= names(cluster)

    site.tutor("k8s", "start", "--prune-configmaps")

    assert not ours & names(cluster)


def test_back_to_tutor(running: OperatorSite, cluster: Cluster) -> None:
    """By what docs/operations.md says: Tutor's own output, between commands that delete the rest."""
    go_back(running)

    assert consumers(cluster) == PLAIN
    gone = (
        "scaledobjects",
        "hpa",
        "triggerauthentications",
        "poddisruptionbudgets",
        "servicemonitors",
        "prometheusrules",
    )
    for kind in gone:
        assert cluster.get(kind, NAMESPACE) == []
    assert "flower" not in {item["metadata"]["name"] for item in cluster.get("services", NAMESPACE)}
    # And there again.
    cluster.apply(running.build("production").decode(), force_conflicts=True)
    assert consumers(cluster) == RECOMMENDED


def test_over_from_the_plugin_and_back(cluster: Cluster, tmp_path: Path) -> None:
    """tutor-contrib-celery applied as Tutor does, our overlay over it, the plugin's again, and at last Tutor's own."""
    theirs = builds.Build(
        sites.build(sites.kustomize(sites.NEWEST), sites.render_oracle(tmp_path, UPSTREAM_WORKERS)), ""
    )
    applied = "".join(f"---\n{item.text}" for item in theirs.documents if not is_template_job(item.text))
    site = OperatorSite(tmp_path, cluster, "oracle")
    cluster.apply(applied, server_side=False)
    assert consumers(cluster) == RECOMMENDED
    scaled = {item["metadata"]["name"] for item in cluster.get("scaledobjects", NAMESPACE)}

    cluster.apply(site.build("production").decode(), force_conflicts=True)
    assert consumers(cluster) == RECOMMENDED
    assert {item["metadata"]["name"] for item in cluster.get("scaledobjects", NAMESPACE)} == scaled
    # The next time, by another way of applying: nothing is in its way either.
    cluster.apply(site.build("production").decode(), server_side=False)

    cluster.apply(applied, server_side=False)
    assert consumers(cluster) == RECOMMENDED
    go_back(site)
    assert consumers(cluster) == PLAIN


def test_flower_over_from_the_plugin_and_back(cluster: Cluster, tmp_path: Path) -> None:
    """The monitoring overlay's Flower takes the plugin's place under the same name, and leaves no password behind."""
    settings = {"CELERY_FLOWER": "true", "CELERY_FLOWER_BASIC_AUTH": "ops:from-the-plugin"}
    env = sites.render_oracle(tmp_path, UPSTREAM_WORKERS, settings)
    theirs = builds.Build(sites.build(sites.kustomize(sites.NEWEST), env), "")
    applied = "".join(f"---\n{item.text}" for item in theirs.documents if not is_template_job(item.text))
    site = OperatorSite(tmp_path, cluster, "oracle")
    cluster.apply(applied, server_side=False)
    assert "from-the-plugin" in str(cluster.get("deployment", NAMESPACE, "flower")["spec"])

    cluster.apply(site.build("monitoring").decode(), force_conflicts=True)
    assert "from-the-plugin" not in str(cluster.get("deployment", NAMESPACE, "flower")["spec"])

    cluster.apply(applied, server_side=False)
    assert "from-the-plugin" in str(cluster.get("deployment", NAMESPACE, "flower")["spec"])


def go_back(site: OperatorSite) -> None:
    scaling, *added = going_back()
    site.cluster.kubectl(*scaling)
    site.tutor("k8s", "start")
    for command in added:
        site.cluster.kubectl(*command)


def config_maps(site: OperatorSite, overlay: str = "production") -> set[str]:
    """Return the names of the ConfigMaps that an overlay adds to Tutor's."""
    plain = {item.name for item in site.plain() if item.kind == "ConfigMap"}
    return {item.name for item in builds.documents(site.build(overlay)) if item.kind == "ConfigMap"} - plain


def names(cluster: Cluster) -> set[str]:
    return {item["metadata"]["name"] for item in cluster.get("configmaps", NAMESPACE)}


def going_back() -> Sequence[Sequence[str]]:
    """Return the arguments of the commands in docs/operations.md that remove what Tutor's own output doesn't have."""
    text = (sites.ROOT / "docs" / "operations.md").read_text().replace("\\\n", "")
    section = text.partition("\n## Going live")[2].partition("\n## ")[0]
    return [line.split()[1:] for line in section.splitlines() if line.startswith("    kubectl -n openedx delete ")]
