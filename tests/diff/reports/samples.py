"""Comparisons made by hand, for the reports to show."""

from __future__ import annotations

from kustomizer.diff.model import (
    ADD,
    CHANGE,
    DESTROY,
    REPLACE,
    ArgumentsChange,
    Comparison,
    Hunk,
    Key,
    ObjectChange,
    ObjectId,
    OrderChange,
    Renaming,
    SharedChange,
    TextChange,
    ValueChange,
)
from kustomizer.errors import INFO, WARNING, Problem, ResourceRef
from kustomizer.findings.ignores import Ignored
from kustomizer.findings.model import Finding
from kustomizer.masking.marks import CHANGED_SECRET, SECRET
from kustomizer.site.queues import Guard, QueueRow, Scaling

VERSION = ValueChange(
    path=("metadata", "annotations", "app.kubernetes.io/version"),
    before="21.0.0",
    after="22.0.3",
)
APPS = ("apps/v1", "apps/v1")


def deployment(name: str) -> ObjectId:
    return ObjectId(group="apps", kind="Deployment", namespace="openedx", name=name)


def container(name: str, *steps: str | int | Key) -> tuple[str | int | Key, ...]:
    return ("spec", "template", "spec", "containers", Key(fields=(("name", name),)), *steps)


CONFIG = ObjectId(group="", kind="ConfigMap", namespace="openedx", name="openedx-config")
WORKERS = ("lms-worker", "cms-worker", "lms-worker-high", "cms-worker-low")

ROWS_BEFORE = (
    QueueRow(namespace="openedx", service="lms", queue="edx.lms.core.default", deployment="lms-worker"),
    QueueRow(namespace="openedx", service="lms", queue="edx.lms.core.high", deployment="lms-worker"),
)
ROWS_AFTER = (
    ROWS_BEFORE[0],
    QueueRow(
        namespace="openedx",
        service="lms",
        queue="edx.lms.core.high",
        deployment="lms-worker-high",
        scaling=Scaling(by="KEDA", name="lms-worker-high-scaledobject", minimum=0, maximum=5, list_length=40),
        guard=Guard(late=True, counted="Zero", grace_period=3600, unacked_key="unacked-high"),
    ),
)

FINDING = Finding(
    rule="queue-without-consumer",
    problem=Problem(
        message="nobody takes edx.lms.core.high_mem any longer, so its tasks wait for ever",
        resource=ResourceRef(api_version="apps/v1", kind="Deployment", namespace="openedx", name="lms-worker-high-mem"),
        field="spec.template.spec.containers[lms-worker-high-mem].args",
        remedy="Let another worker take the queue before this one goes.",
    ),
)
WARNING_FINDING = Finding(
    rule="image-changed", problem=Problem(message="cms gets another image", severity=WARNING, remedy="")
)
INFO_FINDING = Finding(rule="restarts", problem=Problem(message="lms restarts", severity=INFO))

RICH = Comparison(
    objects=(
        ObjectChange(
            action=DESTROY,
            id=deployment("lms-worker-high-mem"),
            api_version=("apps/v1", ""),
            tree={
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "lms-worker-high-mem", "namespace": "openedx"},
                "spec": {"template": {"spec": {"containers": [{"image": "docker.io/overhangio/openedx"}]}}},
            },
        ),
        ObjectChange(
            action=REPLACE,
            id=ObjectId(group="batch", kind="Job", namespace="openedx", name="lms-job"),
            api_version=("batch/v1", "batch/v1"),
            changes=(ValueChange(path=container("lms", "image"), before="openedx:21", after="openedx:22"),),
        ),
        ObjectChange(
            action=CHANGE,
            id=CONFIG,
            api_version=("v1", "v1"),
            changes=(
                TextChange(
                    path=("data", "lms.env.yml"),
                    hunks=(
                        Hunk(
                            before=3,
                            after=3,
                            lines=(
                                ' CELERY_BROKER_VHOST: "0"',
                                f"-CELERY_BROKER_PASSWORD: {SECRET}",
                                f"+CELERY_BROKER_PASSWORD: {CHANGED_SECRET}",
                                " ",
                            ),
                        ),
                    ),
                    newline_at_end=(False, True),
                ),
            ),
        ),
        ObjectChange(
            action=CHANGE,
            id=deployment("lms-worker"),
            api_version=("apps/v1beta1", "apps/v1"),
            changes=(
                VERSION,
                ValueChange(path=("spec", "replicas"), before=1, after="1"),
                ValueChange(path=("spec", "strategy"), before={"type": "Recreate"}),
                ArgumentsChange(
                    path=container("lms-worker", "args"),
                    before=("celery", "--queues=edx.lms.core.default,edx.lms.core.high"),
                    after=("celery", "--queues=edx.lms.core.default"),
                    notes=("no longer takes edx.lms.core.high", "--concurrency: 2, was 1"),
                ),
                ValueChange(path=container("lms-worker", "resources"), after={"limits": {"cpu": "2", "memory": "4Gi"}}),
                OrderChange(
                    path=container("lms-worker", "env"),
                    after=(Key(fields=(("name", "A"),)), Key(fields=(("name", "B"),))),
                ),
            ),
        ),
        ObjectChange(action=CHANGE, id=deployment("smtp"), api_version=APPS, changes=(VERSION,)),
        ObjectChange(
            action=ADD,
            id=deployment("lms-worker-high"),
            api_version=("", "apps/v1"),
            tree={"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "lms-worker-high"}},
        ),
        ObjectChange(
            action=ADD,
            id=ObjectId(group="keda.sh", kind="ScaledObject", namespace="openedx", name="lms-worker-high-scaledobject"),
            api_version=("", "keda.sh/v1alpha1"),
            tree={"spec": {"scaleTargetRef": {"name": "lms-worker-high"}, "minReplicaCount": 0, "maxReplicaCount": 5}},
        ),
    ),
    groups=(SharedChange(change=VERSION, objects=(deployment("lms-worker"), deployment("smtp"))),),
    renamings=(
        Renaming(
            id=CONFIG,
            before="openedx-config-8d47ck4c27",
            after="openedx-config-tfh29t2k8g",
            proven=True,
            rolls=tuple(map(deployment, ("lms", "cms", *WORKERS))),
        ),
    ),
    unchanged=30,
    findings=(FINDING, WARNING_FINDING, INFO_FINDING),
    ignored=(Ignored(reason="Tutor draws a new one each time", changes=2, findings=1),),
    queues=(ROWS_BEFORE, ROWS_AFTER),
)
"""Everything that a comparison may hold."""
