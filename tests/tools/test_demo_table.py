from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sites


def table(built: bytes, tmp_path: Path, columns: int = 80) -> str:
    (tmp_path / "built.yaml").write_bytes(built)
    return sites.run(
        sys.executable,
        sites.ROOT / "tools" / "demo_table.py",
        tmp_path / "built.yaml",
        env={**os.environ, "COLUMNS": str(columns)},
    ).decode()


def deployment(name: str, *args: str, replicas: str = "") -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: openedx}}
spec: {{{f"replicas: {replicas}, " if replicas else ""}template: {{spec: {{containers: [{{args: {list(args)}}}]}}}}}}
"""


def autoscaler(kind: str, target: str, spec: str, namespace: str = "openedx") -> str:
    return f"""---
kind: {kind}
metadata: {{name: {target}-scaler, namespace: {namespace}}}
spec: {{scaleTargetRef: {{name: {target}}}, {spec}}}
"""


def worker(name: str, *args: str, replicas: str = "") -> str:
    return deployment(name, "celery", "--app=lms.celery", "worker", *args, replicas=replicas)


def test_each_queue_has_a_row(tmp_path: Path) -> None:
    built = "".join(
        [
            worker("lms-worker", "--queues=edx.lms.core.default"),
            worker("lms-worker-high", "-Q", "edx.lms.core.high", replicas="3"),
            worker("lms-worker-high-mem", "--queues=old", "--queues=edx.lms.core.high_mem"),
            autoscaler("ScaledObject", "lms-worker-high-mem", "minReplicaCount: 1, maxReplicaCount: 5"),
            worker("cms-worker", "-Qedx.cms.core.default,edx.cms.core.low"),
            autoscaler("HorizontalPodAutoscaler", "cms-worker", "minReplicas: 2, maxReplicas: 6"),
            deployment("lms", "uwsgi", "worker"),
            "---\n{kind: ConfigMap, metadata: {name: odd}, data: {a: =}}\n",
        ]
    )

    assert table(built.encode(), tmp_path).splitlines() == [
        "queue                  Deployment           consumes         scales",
        "edx.cms.core.default   cms-worker           2 queues         HPA 2-6",
        "edx.cms.core.low       cms-worker           2 queues         HPA 2-6",
        "edx.lms.core.default   lms-worker           only this queue  1 (Tutor's default)",
        "edx.lms.core.high      lms-worker-high      only this queue  3, fixed",
        "edx.lms.core.high_mem  lms-worker-high-mem  only this queue  KEDA 1-5",
    ]


def test_defaults_of_keda_and_another_namespace(tmp_path: Path) -> None:
    built = (
        worker("lms-worker", "--queues=default")
        + autoscaler("ScaledObject", "lms-worker", "triggers: []")
        + autoscaler("HorizontalPodAutoscaler", "lms-worker", "maxReplicas: 6", namespace="elsewhere")
    )

    assert table(built.encode(), tmp_path).splitlines()[1].split() == [
        *["default", "lms-worker", "only", "this", "queue", "KEDA", "0-100"]
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_fits_the_terminal(columns: int, tmp_path: Path, kustomize: Path) -> None:
    printed = table(sites.build(kustomize, sites.site("full")), tmp_path, columns)

    assert max(map(len, printed.splitlines())) <= columns
    assert "edx.lms.core" in printed


def test_no_worker_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text("{kind: Service, metadata: {name: lms}}\n")
    done = subprocess.run(
        [sys.executable, sites.ROOT / "tools" / "demo_table.py", tmp_path / "built.yaml"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert "holds no Celery worker" in done.stderr
