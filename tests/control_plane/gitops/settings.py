"""The settings ConfigMaps of a worker, and which of them its pods name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

WORKER = "lms-worker-high"
PREFIX = f"{WORKER}-celery-settings-"


def settings(cluster: Cluster) -> set[str]:
    """Return the names of those that are there."""
    names = {item["metadata"]["name"] for item in cluster.get("configmaps", NAMESPACE)}
    return {name for name in names if name.startswith(PREFIX)}


def mounted(cluster: Cluster) -> set[str]:
    """Return the names of those that the worker's ReplicaSets with pods mount, an old one's too."""
    return {
        source["configMap"]["name"]
        for item in cluster.get("replicasets", NAMESPACE)
        if item["metadata"]["labels"]["app.kubernetes.io/name"] == WORKER and item["spec"]["replicas"]
        for volume in item["spec"]["template"]["spec"]["volumes"]
        for source in [volume, *volume.get("projected", {}).get("sources", ())]
        if source.get("configMap", {}).get("name", "").startswith(PREFIX)
    }
