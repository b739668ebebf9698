"""immutable-field: what is refused, with the cause."""

from __future__ import annotations

import pytest

from tests.diff.rules.two_builds import changed, found, problems
from tests.rules.small_site import resource, worker

NAME = "app.kubernetes.io/name"
POD = {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
JOB = resource("Job", "migrate", api_version="batch/v1", spec={"template": POD})
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}, "storageClassName": "a"}
STATEFUL = resource("StatefulSet", "db", api_version="apps/v1", spec={"serviceName": "db", "template": POD})
TUTORS = {"app.kubernetes.io/component": "job", "app.kubernetes.io/managed-by": "tutor"}
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}


@pytest.mark.parametrize(
    ("before", "change", "field"),
    [
        (worker("lms-worker"), {"spec__selector__matchLabels__team": "a"}, "spec.selector.matchLabels.team"),
        (JOB, {"spec__template__spec__containers__0__image": "a:2"}, "spec.template.spec.containers[a].image"),
        (resource("PersistentVolumeClaim", "a", spec=CLAIM), {"spec__storageClassName": "b"}, "spec.storageClassName"),
        (STATEFUL, {"spec__serviceName": "other"}, "spec.serviceName"),
        (
            resource("RoleBinding", "a", api_version="rbac.authorization.k8s.io/v1", roleRef=ROLE),
            {"roleRef__name": "b"},
            "roleRef.name",
        ),
        (resource("ConfigMap", "a", immutable=True, data={"a": "b"}), {"data__a": "c"}, "data.a"),
    ],
)
def test_what_kubernetes_refuses(before: str, change: dict[str, str], field: str) -> None:
    (problem,) = problems("immutable-field", [before], [changed(before, **change)])
    assert (problem.severity, problem.field) == ("error", field)
    assert "refused" in problem.message
    assert problem.remedy


def test_what_kubernetes_takes() -> None:
    claim = resource("PersistentVolumeClaim", "a", spec=CLAIM)
    after = changed(claim, spec__resources__requests__storage="6Gi")
    assert found("immutable-field", [claim, STATEFUL], [after, changed(STATEFUL, spec__replicas=2)]) == []


def test_tutors_template_jobs_are_one_warning() -> None:
    jobs = [changed(JOB, metadata__name=name, metadata__labels=TUTORS) for name in "ab"]
    after = [changed(job, spec__template__spec__containers__0__image="a:2") for job in jobs]
    (problem,) = problems("immutable-field", jobs, after)
    assert problem.severity == "warning"
    assert "as is b" in problem.message


def test_a_job_of_anybody_elses_is_an_error() -> None:
    job = changed(JOB, metadata__labels={**TUTORS, "app.kubernetes.io/managed-by": "Helm"})
    after = changed(job, spec__template__spec__containers__0__image="a:2")
    (problem,) = problems("immutable-field", [job], [after])
    assert problem.severity == "error"
