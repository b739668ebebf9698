"""A change of a field that Kubernetes refuses to change.

`kubectl apply` reports an error, leaves this object as it is, and applies the others. Flux and Argo CD stop there.
Usual causes are labels that are also added to selectors (kustomize's `commonLabels`, or `labels` with
`includeSelectors: true`), a new version of Tutor, whose template Jobs carry its version, and another storage class.

**Severity:**

- error;
- warning for Tutor's template Jobs (its label `app.kubernetes.io/component: job`): Tutor doesn't apply them, and
  nobody should.

**What to do:** undo the change; or delete the object in a quiet hour and apply again. For a StatefulSet `kubectl delete
statefulset NAME --cascade=orphan` keeps its pods meanwhile. In place of a PersistentVolumeClaim make one of another
name and copy the data: deleting the claim deletes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.immutable import immutable_changes
from kustomizer.diff.model import REPLACE, ObjectChange, path_text
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import listed
from kustomizer.errors import WARNING, Problem
from kustomizer.openedx.template_jobs import is_template_job

_CAUSES = {
    "Deployment": "a selector can't be changed",
    "DaemonSet": "a selector can't be changed",
    "ReplicaSet": "a selector can't be changed",
    "Job": "a Job's pods can't be changed once it is there",
    "StatefulSet": "of a StatefulSet only the pods, their number and how they are updated can be changed",
    "PersistentVolumeClaim": "of a claim only the size can be changed, and only grow",
    "RoleBinding": "a binding's role can't be changed",
    "ClusterRoleBinding": "a binding's role can't be changed",
    "Service": "a Service's address can't be changed",
    "ConfigMap": "it is marked immutable",
    "Secret": "its type can't be changed, nor what it holds where it is marked immutable",
    "StorageClass": "of a storage class nothing of this can be changed",
}
_CAUSE = "it can't be changed"
_REMEDIES = {
    "Deployment": "Take it back: add labels with includeSelectors: false. Else delete the {0} in a quiet hour",
    "Job": "Delete the {0} before this is applied",
    "StatefulSet": "Take it back, or `kubectl delete statefulset {1} --cascade=orphan` and apply again",
    "PersistentVolumeClaim": "Take it back, or make a claim of another name and copy the data",
    "ConfigMap": "Give it another name",
    "Secret": "Give it another name",
}
_REMEDY = "Take it back, or delete the {0} and apply again"
_TUTORS_JOB = "Leave Tutor's template Jobs out of what is applied: Tutor itself doesn't apply them"


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find changes that are refused. Tutor's Jobs share one finding, since each version of Tutor changes them all."""
    jobs = []
    for item in objects:
        if item.action != REPLACE:
            continue
        if is_template_job(sides.after.resources[item.id]):
            jobs.append(item)
            continue
        before, after = sides.trees(item.id)
        refused = [path_text(change.path) for change in immutable_changes(before, after, item.changes)]
        other_count = len(refused) - 1
        more = (
            f", as are {other_count} other fields"
            if other_count > 1
            else ", as is another field"
            if other_count == 1
            else ""
        )
        kind = item.id.kind
        message = f"is refused by Kubernetes{more}: {_CAUSES.get(kind, _CAUSE)}"
        remedy = _REMEDIES.get(kind, _REMEDY).format(kind, item.id.name)
        yield item.problem(message, remedy, field=refused[0] if refused else "")
    if jobs:
        other_count = len(jobs) - 1
        too = (
            f", as {'are' if other_count > 1 else 'is'} {listed(item.id.name for item in jobs[1:])}"
            if other_count
            else ""
        )
        message = f"is refused where it was applied before{too}: {_CAUSES['Job']}"
        yield jobs[0].problem(message, _TUTORS_JOB, field="spec.template", severity=WARNING)
