"""`tutor-kustomizer queues`: a row for each queue of each worker, in a terminal's width."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kustomizer.cli import main
from tests import sites
from tests.builds import Builds


def deployment(name: str, *args: str, replicas: str = "") -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: openedx}}
spec: {{{f"replicas: {replicas}, " if replicas else ""}template: {{spec: {{containers: [{{args: {list(args)}}}]}}}}}}
"""


def autoscaler(kind: str, target: str, spec: str, namespace: str = "openedx") -> str:
    return f"""---
apiVersion: v1
kind: {kind}
metadata: {{name: {target}-scaler, namespace: {namespace}}}
spec: {{scaleTargetRef: {{name: {target}}}, {spec}}}
"""


def worker(name: str, *args: str, replicas: str = "") -> str:
    return deployment(name, "celery", "--app=lms.celery", "worker", *args, replicas=replicas)


def table(built: str, tmp_path: Path, columns: int = 80) -> list[str]:
    (tmp_path / "built.yaml").write_text(built)
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(main, ["queues", str(tmp_path / "built.yaml")])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_each_queue_has_a_row(tmp_path: Path) -> None:
    trigger = "{metadata: {listName: edx.lms.core.high_mem, listLength: '1'}}, {name: inflight, metadata: {}}"
    built = "".join(
        [
            worker("lms-worker", "--queues=edx.lms.core.default"),
            worker("lms-worker-high", "-Q", "edx.lms.core.high", replicas="3"),
            worker("lms-worker-high-mem", "--queues=old", "--queues=edx.lms.core.high_mem"),
            autoscaler("ScaledObject", "lms-worker-high-mem", f"maxReplicaCount: 5, triggers: [{trigger}]"),
            worker("cms-worker", "-Qedx.cms.core.default,edx.cms.core.low"),
            autoscaler("HorizontalPodAutoscaler", "cms-worker", "minReplicas: 2, maxReplicas: 6"),
            worker("superset-worker"),
            deployment("lms", "uwsgi", "worker"),
            "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: odd}, data: {a: =}}\n",
        ]
    )

    assert table(built, tmp_path, 120) == [
        "queue                  Deployment           consumes  pods      each  in flight",
        "edx.cms.core.default   cms-worker           2 queues  HPA 2-6",
        "edx.cms.core.low       cms-worker           2 queues  HPA 2-6",
        "edx.lms.core.default   lms-worker           1 queue   1, fixed",
        "edx.lms.core.high      lms-worker-high      1 queue   3, fixed",
        "edx.lms.core.high_mem  lms-worker-high-mem  1 queue   KEDA 0-5  1     Zero",
        "(its settings say)     superset-worker      default   1, fixed",
    ]


def test_an_autoscaler_of_another_namespace_is_not_meant(tmp_path: Path) -> None:
    built = worker("lms-worker", "--queues=a") + autoscaler("HorizontalPodAutoscaler", "lms-worker", "x: 1", "other")
    assert table(built, tmp_path)[1].split() == ["a", "lms-worker", "1", "queue", "1,", "fixed"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_the_terminal(columns: int, tmp_path: Path, builds: Builds) -> None:
    printed = table(builds.through_exec(sites.site("full")).stdout.decode(), tmp_path, columns)
    assert max(map(len, printed)) <= columns
    assert any("edx.lms.core" in line for line in printed)


def test_no_worker_is_said(tmp_path: Path) -> None:
    assert table("{apiVersion: v1, kind: Service, metadata: {name: lms}}\n", tmp_path) == [
        "No Celery worker in this site."
    ]
