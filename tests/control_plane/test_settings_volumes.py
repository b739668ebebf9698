"""A real API server takes the volumes that ours are put into, over those that the site has applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests import sites
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

CASE = sites.ROOT / "tests" / "golden" / "settings-volumes"


def test_volumes_of_other_kinds(cluster: Cluster) -> None:
    before, after = (
        yaml.safe_dump_all(
            [{**item, "metadata": {**item["metadata"], "namespace": NAMESPACE}} for item in yaml.safe_load_all(text)]
        )
        for text in ((CASE / "input.yaml").read_text(), (CASE / "expected.yaml").read_text())
    )
    cluster.kubectl("create", "namespace", NAMESPACE, check=False)
    cluster.apply(before, server_side=False)
    said = cluster.apply(after, force_conflicts=True)
    assert said.count("deployment.apps/") == 4
    for name in ("lms-worker", "lms-worker-high", "cms-worker", "cms-worker-high"):
        pod = cluster.get("Deployment", NAMESPACE, name)["spec"]["template"]["spec"]
        [volume] = [volume for volume in pod["volumes"] if "projected" in volume]
        assert len(volume["projected"]["sources"]) == 3
        assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {volume["name"]}
    cluster.apply(before, server_side=False)
