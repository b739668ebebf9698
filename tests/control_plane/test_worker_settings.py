"""Pausing, somebody's autoscaler, rollouts and probes of the configuration, heeded by KEDA and the cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import yaml

from tests.control_plane.broker import Broker
from tests.control_plane.operator_site import NAMESPACE, OperatorSite
from tests.control_plane.test_acceptance import AUTOSCALER
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

ADDRESS = "127.23.0.1"
LMS: dict[str, Any] = {
    "default": {"keda": {"minReplicas": 1, "replaceHPA": "of-others"}},
    "high": {
        "keda": {"paused": True, "annotations": {"example.com/owner": "campus"}},
        "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}},
        "livenessProbe": "Celery",
    },
    "high_mem": {"keda": {"pausedReplicas": 2}},
}


def wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


def test_pausing_an_autoscaler_of_others_a_rollout_and_a_probe(cluster: Cluster, tmp_path: Path) -> None:
    def scaled_object(worker: str) -> dict[str, Any]:
        found: dict[str, Any] = cluster.get("scaledobject.keda.sh", NAMESPACE, f"{worker}-scaledobject")
        return found

    def is_paused(worker: str) -> bool:
        conditions = scaled_object(worker).get("status", {}).get("conditions", [])
        return any((each["type"], each["status"]) == ("Paused", "True") for each in conditions)

    def hpas() -> dict[str, str]:
        found = cluster.get("hpa", NAMESPACE)
        return {each["metadata"]["name"]: each["spec"]["scaleTargetRef"]["name"] for each in found}

    site = OperatorSite(tmp_path, cluster, "22")
    site.tutor("k8s", "start")
    # A plugin's, applied by itself: no build has it.
    cluster.apply(yaml.safe_dump(AUTOSCALER))
    path = site.root / "overlays" / "autoscaling" / "config" / "celery-workers.yaml"
    config = yaml.safe_load(path.read_text())
    config["spec"].setdefault("workers", {})["lms"] = LMS
    path.write_text(yaml.safe_dump(config))
    cluster.name_address("redis.openedx", ADDRESS)
    with Broker(tmp_path / "redis", ADDRESS, cluster.keeper):
        cluster.apply(site.build("autoscaling").decode(), force_conflicts=True)

        wait(lambda: is_paused("lms-worker-high") and is_paused("lms-worker-high-mem"), "both to be paused")
        assert scaled_object("lms-worker-high")["metadata"]["annotations"]["example.com/owner"] == "campus"
        wait(
            lambda: cluster.get("deployment", NAMESPACE, "lms-worker-high-mem")["spec"]["replicas"] == 2,
            "two pods while it is paused",
        )
        wait(
            lambda: (
                cluster.get("hpa", NAMESPACE, "of-others")["metadata"].get("ownerReferences")
                and {name for name, target in hpas().items() if target == "lms-worker"} == {"of-others"}
            ),
            "KEDA to take the autoscaler over",
        )
        assert not [name for name, target in hpas().items() if target in ("lms-worker-high", "lms-worker-high-mem")]
        high = cluster.get("deployment", NAMESPACE, "lms-worker-high")["spec"]
        assert high["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}}
        [container] = high["template"]["spec"]["containers"]
        assert container["livenessProbe"]["exec"]["command"][:2] == ["sh", "-c"]
        # What docs/rules/left-behind.md warns of: it goes with the ScaledObject that has taken it over.
        cluster.kubectl("delete", "scaledobject", "lms-worker-scaledobject", f"--namespace={NAMESPACE}")
        wait(lambda: "of-others" not in hpas(), "the autoscaler to go")
