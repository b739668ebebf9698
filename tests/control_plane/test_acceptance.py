"""What the overlays emit, applied to a real API server beside KEDA's webhooks, over what Tutor itself applies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests import builds
from tests.acceptance.test_overlays import GUARD, OVERLAYS, Checkout, commands
from tests.control_plane.api import RefusedError
from tests.control_plane.operator_site import NAMESPACE, OperatorSite, consumers, states

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

RECOMMENDED = {
    "edx.lms.core.default": ["lms-worker"],
    "edx.lms.core.high": ["lms-worker-high"],
    "edx.lms.core.high_mem": ["lms-worker-high-mem"],
    "edx.cms.core.default": ["cms-worker"],
    "edx.cms.core.high": ["cms-worker-high"],
    "edx.cms.core.low": ["cms-worker-low"],
}
NAMESPACE_YAML = f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}"
SCALING = ("autoscaling", "production")
AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "of-others", "namespace": NAMESPACE},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lms-worker"},
        "maxReplicas": 3,
    },
}
UPGRADES = (("18", "19"), ("21", "22"))


@pytest.mark.parametrize(
    ("name", "overlay"),
    # Of what an older Tutor emits, the overlay that has everything tells enough.
    [("18", "production"), *((name, overlay) for name in ("22", "full") for overlay in OVERLAYS)],
)
def test_accepted_over_tutors_own(name: str, overlay: str, cluster: Cluster, tmp_path: Path) -> None:
    site = OperatorSite(tmp_path, cluster, name)
    site.tutor("k8s", "start")
    if name == "full" and overlay in SCALING:
        # The remedy in the error that this build ends with otherwise: a plugin has autoscalers of its own.
        replace_autoscalers(site, overlay)
    build = site.build(overlay)

    cluster.apply(build.decode(), force_conflicts=True)

    assert consumers(cluster) == RECOMMENDED
    assert site.active_jobs() == []
    documents = builds.documents(build)
    with cluster.paused():
        before = states(cluster, documents)
        cluster.apply(build.decode())
        assert states(cluster, documents) == before
    assert len(before) == len(documents)


@pytest.mark.parametrize(("older", "newer"), UPGRADES)
def test_next_tutor_applies_over_it(older: str, newer: str, cluster: Cluster, tmp_path: Path) -> None:
    site = OperatorSite(tmp_path, cluster, older)
    site.tutor("k8s", "start")
    cluster.apply(site.build("production").decode(), force_conflicts=True)

    site.upgrade(newer)
    site.tutor("k8s", "start")
    cluster.apply(site.build("production").decode(), force_conflicts=True)

    assert consumers(cluster) == RECOMMENDED
    image = cluster.get("deployment", NAMESPACE, "lms-worker-high")["spec"]["template"]["spec"]["containers"][0][
        "image"
    ]
    assert image == cluster.get("deployment", NAMESPACE, "lms")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert f":{newer}." in image


@pytest.mark.parametrize("overlay", ["production", "kubectl"])
def test_nothing_is_accepted_for_the_workers_when_the_function_was_skipped(
    overlay: str, cluster: Cluster, tmp_path: Path
) -> None:
    """The build fails; without the guard the API server refuses the configuration, which was left in the output."""
    site = OperatorSite(tmp_path, cluster, "22")
    copy = Checkout(site.root)
    command = commands()[overlay].replace(" --enable-exec", "").replace("kubectl kustomize", "kustomize build")
    command = re.sub(r"KUSTOMIZE_PLUGIN_HOME=\S+ ", "", command)
    assert copy.run(command).status != 0
    copy.edit(f"overlays/{overlay}/kustomization.yaml", GUARD, "")
    if overlay == "kubectl":
        copy.edit(f"overlays/{overlay}/kustomization.yaml", "generators/legacy", "generators")
    skipped = copy.run(command)
    assert skipped.status == 0, skipped.stderr
    cluster.apply(NAMESPACE_YAML)

    with pytest.raises(RefusedError, match=r'no matches for kind "CeleryWorkers"'):
        cluster.apply(skipped.stdout.decode())


def test_workers_that_only_the_function_completes_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    """The Deployments carry what the API server refuses until the function has been there: see docs/rules."""
    site = OperatorSite(tmp_path, cluster, "22")
    site.tutor("k8s", "start")
    cluster.apply(site.build("multiqueue").decode(), force_conflicts=True)
    marked = {item.name: item.tree for item in site.plain() if item.name in {"lms-worker", "cms-worker"}}
    for tree in marked.values():
        tree["spec"]["minReadySeconds"] = -1

    for server_side in (True, False):
        with pytest.raises(RefusedError, match=r"minReadySeconds: Invalid value: -1"):
            cluster.apply(yaml.safe_dump_all(marked.values()), server_side=server_side)

    assert consumers(cluster) == RECOMMENDED


def test_kedas_webhook_has_its_say(cluster: Cluster, tmp_path: Path) -> None:
    """It refuses a second autoscaler, which the function refuses before: here a plugin's comes after the build."""
    site = OperatorSite(tmp_path, cluster, "22")
    site.tutor("k8s", "start")
    cluster.apply(yaml.safe_dump(AUTOSCALER))

    with pytest.raises(RefusedError, match=r"vscaledobject\.kb\.io.* denied the request.*lms-worker"):
        cluster.apply(site.build("autoscaling").decode(), force_conflicts=True)


def replace_autoscalers(site: OperatorSite, overlay: str) -> None:
    path = site.root / "overlays" / overlay / "config" / "celery-workers.yaml"
    config = yaml.safe_load(path.read_text())
    for service in ("lms", "cms"):
        worker = config["spec"].setdefault("workers", {}).setdefault(service, {}).setdefault("default", {})
        worker.setdefault("keda", {})["replaceHPA"] = True
    path.write_text(yaml.safe_dump(config))
