"""What the configuration refuses in a probe and in an HPA's behavior is what a real API server refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from kustomizer.config.handed_on import behavior_faults, probe_faults
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

PROBES = """
- {exec: {command: [x]}}
- {periodSeconds: 3}
- {exec: {command: [x]}, httpGet: {port: 80}}
- {tcpSocket: {port: 80}, successThreshold: 2}
- {tcpSocket: {port: 80}, successThreshold: 0, timeoutSeconds: 0}
- {tcpSocket: {port: 80}, failureThreshold: -1}
- {tcpSocket: {port: 80}, periodSeconds: 2.0}
- {tcpSocket: {port: 80}, initialDelaySeconds: "3"}
"""
BEHAVIORS = """
- {}
- {scaleDown: {stabilizationWindowSeconds: 3600}}
- {scaleDown: {stabilizationWindowSeconds: 3601}}
- {scaleUp: {selectPolicy: Disabled}}
- {scaleUp: {selectPolicy: Sum}}
- {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1800}]}}
- {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}
- {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 1}]}}
- {scaleUp: {policies: [{type: Pods, value: 1}]}}
- {scaleUp: {policies: [{type: Count, value: 1, periodSeconds: 1}]}}
"""


def test_what_is_refused(cluster: Cluster) -> None:
    cluster.apply(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}")
    objects = [
        *((probe, [*probe_faults(probe)], _pods(probe)) for probe in yaml.safe_load(PROBES)),
        *((rules, [*behavior_faults(rules)], _autoscaler(rules)) for rules in yaml.safe_load(BEHAVIORS)),
    ]
    wrong = [given for given, faults, tree in objects if bool(faults) != _is_refused(cluster, tree)]
    assert wrong == []


def _is_refused(cluster: Cluster, tree: dict[str, Any]) -> bool:
    done = cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(tree), check=False)
    return bool(done.returncode)


def _pods(probe: dict[str, Any]) -> dict[str, Any]:
    pod = {"containers": [{"name": "a", "image": "a", "livenessProbe": probe}]}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(), "spec": spec}


def _autoscaler(behavior: dict[str, Any]) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "behavior": behavior}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": _metadata(), "spec": spec}


def _metadata() -> dict[str, str]:
    return {"name": "a", "namespace": NAMESPACE}
