"""Which changes Kubernetes refuses."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.diff.changes.trees import tree_changes
from kustomizer.diff.immutable import immutable_changes
from kustomizer.diff.model import path_text
from kustomizer.manifests.tree import clone


def refused(api_version: str, kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    head = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    old, new = clone({**head, **before}), clone({**head, **after})
    changes = tree_changes(old, new, lambda left, right: (left, right))
    assert changes
    return [path_text(change.path) for change in immutable_changes(old, new, changes)]


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": fields}


def size(storage: Any) -> dict[str, Any]:
    return spec(resources={"requests": {"storage": storage}})


@pytest.mark.parametrize(
    ("before", "after", "is_refused"),
    [
        ("5Gi", "2Gi", True),
        ("1Gi", "1G", True),
        ("1Ti", "900Gi", True),
        ("5Gi", "10Gi", False),
        ("1Gi", "1025Mi", False),
        ("5Gi", "much", False),
    ],
)
def test_a_claim_only_grows(before: str, after: str, is_refused: bool) -> None:
    found = refused("v1", "PersistentVolumeClaim", size(before), size(after))
    assert found == ["spec.resources.requests.storage"] * is_refused


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "1"}]}}
NEW_TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "2"}]}}
CLAIMS = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])
def test_a_selector(kind: str) -> None:
    before, after = ({"matchLabels": {"app": value}} for value in "ab")
    assert refused("apps/v1", kind, spec(selector=before), spec(selector=after)) == ["spec.selector.matchLabels.app"]
    assert refused("apps/v1", kind, spec(template=TEMPLATE), spec(template=NEW_TEMPLATE)) == []
    assert refused("apps/v1", kind, spec(selectors=1), spec(selectors=2)) == (
        [] if kind != "StatefulSet" else ["spec.selectors"]
    )


@pytest.mark.parametrize(
    ("api_version", "kind", "before", "after"),
    [
        ("batch/v1", "Job", spec(template=TEMPLATE), spec(template=NEW_TEMPLATE)),
        ("batch/v1", "Job", spec(completions=1), spec(completions=2)),
        ("batch/v1", "Job", spec(), spec(completionMode="Indexed")),
        ("v1", "PersistentVolumeClaim", spec(storageClassName="a"), spec(storageClassName="b")),
        ("v1", "PersistentVolumeClaim", spec(accessModes=["ReadWriteOnce"]), spec(accessModes=["ReadWriteMany"])),
        ("apps/v1", "StatefulSet", spec(serviceName="a"), spec(serviceName="b")),
        ("apps/v1", "StatefulSet", spec(), spec(volumeClaimTemplates=CLAIMS)),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
        ("v1", "Service", spec(clusterIP="None"), spec(clusterIP="10.0.0.1")),
        ("v1", "Service", spec(), spec(clusterIP="None")),
        ("v1", "ConfigMap", {"immutable": True, "data": {"a": "1"}}, {"immutable": True, "data": {"a": "2"}}),
        ("v1", "ConfigMap", {"immutable": True}, {"immutable": False}),
        ("v1", "Secret", {"immutable": True, "data": {"a": "MQ=="}}, {"immutable": True, "data": {}}),
        ("v1", "Secret", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}),
        ("storage.k8s.io/v1", "StorageClass", {"parameters": {"a": "1"}}, {"parameters": {"a": "2"}}),
        ("storage.k8s.io/v1", "StorageClass", {"provisioner": "a"}, {"provisioner": "b"}),
        ("v1", "Pod", spec(containers=[{"name": "a", "args": ["1"]}]), spec(containers=[{"name": "a", "args": ["2"]}])),
        ("scheduling.k8s.io/v1", "PriorityClass", {"value": 1}, {"value": 2}),
        ("networking.k8s.io/v1", "IngressClass", spec(controller="a"), spec(controller="b")),
    ],
)
def test_what_is_refused(api_version: str, kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert len(refused(api_version, kind, before, after)) == 1


@pytest.mark.parametrize(
    ("api_version", "kind", "before", "after"),
    [
        ("batch/v1", "Job", spec(parallelism=1), spec(parallelism=2)),
        ("batch/v1", "Job", spec(suspend=False), spec(suspend=True)),
        ("batch/v1", "CronJob", spec(jobTemplate={"a": 1}), spec(jobTemplate={"a": 2})),
        (
            "v1",
            "PersistentVolumeClaim",
            spec(resources={"requests": {"storage": "1Gi"}}),
            spec(resources={"requests": {"storage": "2Gi"}}),
        ),
        ("v1", "PersistentVolumeClaim", {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {"a": "2"}}}),
        ("apps/v1", "StatefulSet", spec(replicas=1), spec(replicas=2)),
        ("apps/v1", "StatefulSet", spec(updateStrategy={}), spec(updateStrategy={"type": "OnDelete"})),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            {"subjects": []},
            {"subjects": [{"kind": "User", "name": "a"}]},
        ),
        # It keeps what the cluster gave it.
        ("v1", "Service", spec(clusterIP="10.0.0.1"), spec()),
        ("v1", "Service", spec(clusterIP="10.0.0.1"), spec(type="ExternalName", clusterIP="None")),
        ("v1", "Service", spec(selector={"a": "1"}), spec(selector={"a": "2"})),
        ("v1", "ConfigMap", {"data": {"a": "1"}}, {"immutable": True, "data": {"a": "2"}}),
        ("v1", "ReplicationController", spec(selector={"a": "1"}), spec(selector={"a": "2"})),
        ("v1", "Pod", spec(containers=[{"name": "a", "image": "1"}]), spec(containers=[{"name": "a", "image": "2"}])),
        # What it is anyway; tests/control_plane asks a server for more of these.
        ("batch/v1", "Job", spec(), spec(completions=1, completionMode="NonIndexed")),
        ("v1", "Secret", {"type": "Opaque"}, {}),
        ("v1", "PersistentVolume", spec(), spec(storageClassName="a")),
        ("example.com/v1", "Job", spec(template=TEMPLATE), spec(template=NEW_TEMPLATE)),
    ],
)
def test_what_is_taken(api_version: str, kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert refused(api_version, kind, before, after) == []
