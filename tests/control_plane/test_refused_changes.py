"""What `tutor-kustomizer diff` says is replaced is what a real API server refuses to change, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from kustomizer.diff.compare import comparison
from kustomizer.diff.model import REPLACE
from tests.control_plane.operator_site import NAMESPACE
from tests.diff.pairs import of_trees

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

POD = "containers: [{name: a, image: a}]"
TEMPLATE = f"template: {{metadata: {{labels: {{app: a}}}}, spec: {{{POD}}}}}"
OTHER_TEMPLATE = f"template: {{metadata: {{labels: {{app: a, more: b}}}}, spec: {{{POD}}}}}"
OTHER_APP = f"template: {{metadata: {{labels: {{app: b}}}}, spec: {{{POD}}}}}"
SELECTOR, OTHER_SELECTOR = ("selector: {matchLabels: {app: %s}}" % app for app in "ab")  # noqa: UP031 - braces
ONCE = f"template: {{spec: {{restartPolicy: Never, {POD}}}}}"
ONCE_AGAIN = f"template: {{spec: {{restartPolicy: Never, activeDeadlineSeconds: 9, {POD}}}}}"
CLAIM = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}"
STATEFUL = f"serviceName: a, {SELECTOR}, {TEMPLATE}"
ROLE = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}"
SUBJECTS = "subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: a}]"
FAILURES = "podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: A, status: 'True'}]}]}"
CLAIMS = f"volumeClaimTemplates: [{{metadata: {{name: d}}, spec: {{{CLAIM}}}}}]"
PORTS = "ports: [{port: 80}]"
DISK = "capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]"

# apiVersion, kind, and what it says before and after.
CHANGES = {
    "deployment-selector": (
        "apps/v1 Deployment",
        f"spec: {{{SELECTOR}, {TEMPLATE}}}",
        f"spec: {{{OTHER_SELECTOR}, {OTHER_APP}}}",
    ),
    "deployment-template": (
        "apps/v1 Deployment",
        f"spec: {{{SELECTOR}, {TEMPLATE}}}",
        f"spec: {{{SELECTOR}, {OTHER_TEMPLATE}}}",
    ),
    "daemonset-selector": (
        "apps/v1 DaemonSet",
        f"spec: {{{SELECTOR}, {TEMPLATE}}}",
        f"spec: {{{OTHER_SELECTOR}, {OTHER_APP}}}",
    ),
    "stateful-selector": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{serviceName: a, {OTHER_SELECTOR}, {OTHER_APP}}}",
    ),
    "stateful-service": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{serviceName: b, {SELECTOR}, {TEMPLATE}}}",
    ),
    "stateful-policy": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{podManagementPolicy: Parallel, {STATEFUL}}}",
    ),
    "stateful-claims": ("apps/v1 StatefulSet", f"spec: {{{STATEFUL}}}", f"spec: {{{STATEFUL}, {CLAIMS}}}"),
    "stateful-replicas": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{replicas: 0, minReadySeconds: 1, {STATEFUL}}}",
    ),
    "stateful-history": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{revisionHistoryLimit: 3, {STATEFUL}}}",
    ),
    "stateful-update": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{updateStrategy: {{rollingUpdate: {{partition: 1}}}}, {STATEFUL}}}",
    ),
    "job-template": ("batch/v1 Job", f"spec: {{{ONCE}}}", f"spec: {{{ONCE_AGAIN}}}"),
    "job-completions": ("batch/v1 Job", f"spec: {{completions: 1, {ONCE}}}", f"spec: {{completions: 2, {ONCE}}}"),
    "job-mode": (
        "batch/v1 Job",
        f"spec: {{completions: 1, {ONCE}}}",
        f"spec: {{completions: 1, completionMode: Indexed, {ONCE}}}",
    ),
    "job-failures": ("batch/v1 Job", f"spec: {{{ONCE}}}", f"spec: {{{FAILURES}, {ONCE}}}"),
    "job-parallelism": ("batch/v1 Job", f"spec: {{parallelism: 1, {ONCE}}}", f"spec: {{parallelism: 2, {ONCE}}}"),
    "job-limits": (
        "batch/v1 Job",
        f"spec: {{backoffLimit: 1, {ONCE}}}",
        f"spec: {{backoffLimit: 2, ttlSecondsAfterFinished: 900, activeDeadlineSeconds: 900, {ONCE}}}",
    ),
    "cron-job": (
        "batch/v1 CronJob",
        f"spec: {{schedule: '@daily', jobTemplate: {{spec: {{{ONCE}}}}}}}",
        f"spec: {{schedule: '@daily', jobTemplate: {{spec: {{{ONCE_AGAIN}}}}}}}",
    ),
    "claim-class": (
        "v1 PersistentVolumeClaim",
        f"spec: {{storageClassName: a, {CLAIM}}}",
        f"spec: {{storageClassName: b, {CLAIM}}}",
    ),
    "claim-mode": ("v1 PersistentVolumeClaim", f"spec: {{{CLAIM}}}", f"spec: {{volumeMode: Block, {CLAIM}}}"),
    "volume-source": (
        "v1 PersistentVolume",
        f"spec: {{{DISK}, hostPath: {{path: /a}}}}",
        f"spec: {{{DISK}, hostPath: {{path: /b}}}}",
    ),
    "volume-policy": (
        "v1 PersistentVolume",
        f"spec: {{{DISK}, hostPath: {{path: /a}}}}",
        f"spec: {{persistentVolumeReclaimPolicy: Delete, {DISK}, hostPath: {{path: /a}}}}",
    ),
    "role-binding": (
        "rbac.authorization.k8s.io/v1 RoleBinding",
        f"{ROLE % 'view'}\n{SUBJECTS}",
        f"{ROLE % 'edit'}\n{SUBJECTS}",
    ),
    "role-subjects": ("rbac.authorization.k8s.io/v1 RoleBinding", f"{ROLE % 'view'}\n{SUBJECTS}", ROLE % "view"),
    "cluster-role-binding": ("rbac.authorization.k8s.io/v1 ClusterRoleBinding", ROLE % "view", ROLE % "edit"),
    "service-headless": ("v1 Service", f"spec: {{{PORTS}}}", f"spec: {{clusterIP: None, {PORTS}}}"),
    "service-with-address": ("v1 Service", f"spec: {{clusterIP: None, {PORTS}}}", f"spec: {{{PORTS}}}"),
    "service-external": (
        "v1 Service",
        f"spec: {{clusterIP: None, {PORTS}}}",
        "spec: {type: ExternalName, externalName: a.b}",
    ),
    "service-type": ("v1 Service", f"spec: {{{PORTS}}}", f"spec: {{type: NodePort, {PORTS}}}"),
    "config-map": ("v1 ConfigMap", "immutable: true\ndata: {a: '1'}", "immutable: true\ndata: {a: '2'}"),
    "config-map-thawed": ("v1 ConfigMap", "immutable: true\ndata: {a: '1'}", "data: {a: '1'}"),
    "config-map-frozen": ("v1 ConfigMap", "data: {a: '1'}", "immutable: true\ndata: {a: '2'}"),
    "secret": ("v1 Secret", "immutable: true\nstringData: {a: '1'}", "immutable: true\nstringData: {a: '2'}"),
    "secret-type": ("v1 Secret", "type: Opaque", "type: example.com/other"),
    "secret-type-default": ("v1 Secret", "stringData: {a: '1'}", "type: Opaque\nstringData: {a: '1'}"),
    "storage-class": ("storage.k8s.io/v1 StorageClass", "provisioner: a", "provisioner: b"),
    "storage-class-parameters": (
        "storage.k8s.io/v1 StorageClass",
        "provisioner: a\nparameters: {a: '1'}",
        "provisioner: a\nparameters: {a: '2'}",
    ),
    "storage-class-policy": (
        "storage.k8s.io/v1 StorageClass",
        "provisioner: a",
        "provisioner: a\nreclaimPolicy: Retain",
    ),
    "storage-class-binding": (
        "storage.k8s.io/v1 StorageClass",
        "provisioner: a",
        "provisioner: a\nvolumeBindingMode: WaitForFirstConsumer",
    ),
    "storage-class-growth": (
        "storage.k8s.io/v1 StorageClass",
        "provisioner: a",
        "provisioner: a\nallowVolumeExpansion: true",
    ),
    "defaults-job": (
        "batch/v1 Job",
        f"spec: {{{ONCE}}}",
        f"spec: {{completions: 1, completionMode: NonIndexed, {ONCE}}}",
    ),
    "defaults-claim": ("v1 PersistentVolumeClaim", f"spec: {{{CLAIM}}}", f"spec: {{volumeMode: Filesystem, {CLAIM}}}"),
    "defaults-stateful": (
        "apps/v1 StatefulSet",
        f"spec: {{{STATEFUL}}}",
        f"spec: {{podManagementPolicy: OrderedReady, {STATEFUL}}}",
    ),
    "defaults-class": (
        "storage.k8s.io/v1 StorageClass",
        "provisioner: a",
        "provisioner: a\nreclaimPolicy: Delete\nvolumeBindingMode: Immediate",
    ),
    "defaults-priority": (
        "scheduling.k8s.io/v1 PriorityClass",
        "value: 1",
        "value: 1\npreemptionPolicy: PreemptLowerPriority",
    ),
    "volume-access": (
        "v1 PersistentVolume",
        f"spec: {{{DISK}, hostPath: {{path: /a}}}}",
        f"spec: {{storageClassName: x, mountOptions: [ro], {DISK}, hostPath: {{path: /a}}}}",
    ),
    "volume-growth": (
        "v1 PersistentVolume",
        f"spec: {{{DISK}, hostPath: {{path: /a}}}}",
        "spec: {capacity: {storage: 2Gi}, accessModes: [ReadWriteMany], hostPath: {path: /a}}",
    ),
    "priority-class": ("scheduling.k8s.io/v1 PriorityClass", "value: 1", "value: 2"),
    "priority-class-preemption": (
        "scheduling.k8s.io/v1 PriorityClass",
        "value: 1",
        "value: 1\npreemptionPolicy: Never",
    ),
    "priority-class-text": ("scheduling.k8s.io/v1 PriorityClass", "value: 1", "value: 1\ndescription: a"),
    "ingress-class": ("networking.k8s.io/v1 IngressClass", "spec: {controller: a.b/c}", "spec: {controller: a.b/d}"),
    "runtime-class": ("node.k8s.io/v1 RuntimeClass", "handler: a", "handler: b"),
    "budget-selector": (
        "policy/v1 PodDisruptionBudget",
        f"spec: {{maxUnavailable: 1, {SELECTOR}}}",
        f"spec: {{maxUnavailable: 1, {OTHER_SELECTOR}}}",
    ),
    "replication-controller": (
        "v1 ReplicationController",
        f"spec: {{selector: {{app: a}}, {TEMPLATE}}}",
        f"spec: {{selector: {{app: b}}, {OTHER_APP}}}",
    ),
    "autoscaler-target": (
        "autoscaling/v2 HorizontalPodAutoscaler",
        "spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}",
        "spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: b}}",
    ),
}
CLUSTER_WIDE = {
    "PersistentVolume",
    "ClusterRoleBinding",
    "StorageClass",
    "PriorityClass",
    "IngressClass",
    "RuntimeClass",
}


def trees(side: int) -> list[dict[str, Any]]:
    """Return all objects as they are before, or after."""
    found = []
    for name, (head, *texts) in CHANGES.items():
        api_version, kind = head.split()
        where = {} if kind in CLUSTER_WIDE else {"namespace": NAMESPACE}
        tree = {"apiVersion": api_version, "kind": kind, "metadata": {"name": f"refused-{name}", **where}}
        found.append({**tree, **yaml.safe_load(texts[side])})
    return found


def test_what_is_replaced_is_what_a_server_refuses(cluster: Cluster) -> None:
    cluster.apply(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}")
    before, after = trees(0), trees(1)
    try:
        cluster.apply(yaml.safe_dump_all(before), server_side=False)
        said = cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(after), check=False)
        refused = {line for line in CHANGES if re.search(rf"\brefused-{line}\b(?!-)", said.stderr)}
        assert len(refused) + len(said.stdout.splitlines()) == len(CHANGES), said.stderr
    finally:
        for tree in before:
            if tree["kind"] in CLUSTER_WIDE:
                cluster.kubectl("delete", "--wait=false", tree["kind"], tree["metadata"]["name"], check=False)
    found = comparison(of_trees(*before), of_trees(*after))
    told = {each.id.name.removeprefix("refused-") for each in found.objects if each.action == REPLACE}
    assert told == refused, said.stderr
