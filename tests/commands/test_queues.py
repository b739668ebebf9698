"""`tutor-kustomizer queues`: a row for each queue of each worker, in a terminal's width."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kustomizer.cli import main
from tests import sites
from tests.builds import Builds
from tests.rules.small_site import routing_lms


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


BUILT = "".join(
    [
        worker("lms-worker", "--queues=edx.lms.core.default"),
        worker("lms-worker-high", "-Q", "edx.lms.core.high", replicas="3"),
        worker("lms-worker-high-mem", "--queues=old", "--queues=edx.lms.core.high_mem"),
        autoscaler(
            "ScaledObject",
            "lms-worker-high-mem",
            "maxReplicaCount: 5, triggers: [{type: redis, metadata: {listName: edx.lms.core.high_mem, "
            "listLength: '1'}}, {type: redis, name: inflight, metadata: {listName: unacked}}]",
        ),
        worker("cms-worker", "-Qedx.cms.core.default,edx.cms.core.low"),
        autoscaler("HorizontalPodAutoscaler", "cms-worker", "minReplicas: 2, maxReplicas: 6"),
        worker("superset-worker"),
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: odd}, data: {a: =}}\n",
        *(
            f"---\n{document}"
            for document in routing_lms("EXPLICIT_QUEUES = {'lms.a_task': {'queue': 'edx.lms.core.orphan'}}")
        ),
    ]
)


def table(built: str, tmp_path: Path, columns: int = 80, *options: str) -> list[str]:
    (tmp_path / "built.yaml").write_text(built)
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(main, ["queues", str(tmp_path / "built.yaml"), *options])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_each_queue_has_a_row(tmp_path: Path) -> None:
    assert table(BUILT, tmp_path, 120) == [
        "app       queue                  Deployment           pods      each  in flight",
        "cms       edx.cms.core.default   cms-worker           HPA 2-6         no guard",
        "cms       edx.cms.core.low       cms-worker           HPA 2-6         no guard",
        "lms       edx.lms.core.default   lms-worker           1, fixed        no guard",
        "lms       edx.lms.core.high      lms-worker-high      3, fixed        no guard",
        "lms       edx.lms.core.high_mem  lms-worker-high-mem  KEDA 0-5  1     no guard",
        "lms       edx.lms.core.orphan    (nobody)",
        "superset  (its settings say)     superset-worker      1, fixed",
        "",
        "each: the waiting tasks for which KEDA asks for one more pod.",
        "in flight: no guard: a task that runs is lost when its pod is killed.",
        "",
        "routed to edx.lms.core.orphan:",
        "  lms.a_task",
    ]


def test_other_programs_get_json_or_yaml(tmp_path: Path) -> None:
    printed = json.loads("\n".join(table(BUILT, tmp_path, 80, "-o", "json")))
    assert printed == yaml.safe_load("\n".join(table(BUILT, tmp_path, 80, "--output", "yaml")))
    assert printed["version"] == 1
    assert printed["queues"][4] == {
        "namespace": "openedx",
        "service": "lms",
        "queue": "edx.lms.core.high_mem",
        "deployment": "lms-worker-high-mem",
        "scaling": {
            "by": "KEDA",
            "name": "lms-worker-high-mem-scaler",
            "min": 0,
            "max": 5,
            "listLength": 1,
            "paused": False,
        },
        "inFlight": {
            "acknowledgedLate": False,
            "counted": "Zero",
            "gracePeriodSeconds": None,
            "unackedKey": "unacked",
            "visibilityTimeout": 3600,
        },
        "tasks": [],
    }
    assert printed["queues"][5]["deployment"] is None
    assert printed["queues"][5]["tasks"] == ["lms.a_task"]


def test_markdown_has_the_table_and_the_picture(tmp_path: Path) -> None:
    printed = table(BUILT, tmp_path, 80, "-o", "markdown")
    rows = [line for line in printed if line.startswith("|")]
    assert {line.count("|") for line in rows} == {8}
    assert "| lms | `edx.lms.core.orphan` | &#40;nobody&#41; |  |  |  | `lms.a_task` |" in rows
    fence = printed.index("```mermaid")
    assert printed[fence + 1 : -1] == table(BUILT, tmp_path, 80, "-o", "mermaid")
    assert printed[-1] == "```"


FLOWER = "".join(
    [
        worker("lms-worker", "--queues=a"),
        "---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: flower, namespace: openedx}, spec: {template: "
        "{metadata: {labels: {app: flower}}, spec: {containers: [{image: mher/flower}]}}}}\n",
        "---\n{apiVersion: v1, kind: Service, metadata: {name: flower, namespace: openedx}, "
        "spec: {selector: {app: flower}}}\n",
        "---\n{apiVersion: v1, kind: ServiceMonitor, metadata: {name: flower, namespace: openedx}, "
        "spec: {selector: {}}}\n",
        "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: flower-dashboard, namespace: openedx}, "
        "data: {a.json: 'flower_events_total'}}\n",
        "---\n{apiVersion: v1, kind: PrometheusRule, metadata: {name: celery-workers, namespace: openedx}, "
        "spec: {groups: [{rules: [{expr: flower_worker_online}]}]}}\n",
    ]
)


def test_flower_and_what_watches_it(tmp_path: Path) -> None:
    assert table(FLOWER, tmp_path)[4:] == [
        "",
        "Flower: Deployment flower, watched by ServiceMonitor flower, dashboard",
        "  flower-dashboard, alerts celery-workers",
    ]
    assert (
        "Flower: Deployment `flower`, watched by ServiceMonitor `flower`, dashboard `flower-dashboard`, "
        "alerts `celery-workers`"
    ) in table(FLOWER, tmp_path, 80, "-o", "markdown")
    assert json.loads("\n".join(table(FLOWER, tmp_path, 80, "-o", "json")))["flowers"] == [
        {
            "namespace": "openedx",
            "kind": "Deployment",
            "name": "flower",
            "serviceMonitors": ["flower"],
            "dashboards": ["flower-dashboard"],
            "prometheusRules": ["celery-workers"],
        }
    ]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_flower_without_a_worker(form: str, tmp_path: Path) -> None:
    printed = table(FLOWER.replace("--app=lms.celery", "").replace("'worker'", "'beat'"), tmp_path, 200, "-o", form)
    assert printed[:2] == ["No Celery worker in this site.", ""]
    assert printed[2].startswith("Flower: Deployment ")


def test_names_do_not_break_the_table(tmp_path: Path) -> None:
    printed = table(worker("lms-worker", "--queues=a|b`<x>"), tmp_path, 80, "-o", "markdown")
    assert printed[2].startswith("| lms | a&#124;b&#96;&#60;x&#62; | `lms-worker` |")


def test_the_same_site_gives_the_same_bytes(tmp_path: Path, builds: Builds) -> None:
    built = builds.through_exec(sites.site("full")).stdout.decode()
    backwards = "---\n".join(reversed([text if text.endswith("\n") else f"{text}\n" for text in built.split("---\n")]))
    for form in ("text", "json", "yaml", "markdown", "mermaid"):
        assert table(built, tmp_path, 80, "-o", form) == table(backwards, tmp_path, 80, "-o", form)


def test_an_autoscaler_of_another_namespace_is_not_meant(tmp_path: Path) -> None:
    built = worker("lms-worker", "--queues=a") + autoscaler("HorizontalPodAutoscaler", "lms-worker", "x: 1", "other")
    assert table(built, tmp_path)[1].split() == ["lms", "a", "lms-worker", "1,", "fixed", "no", "guard"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_the_terminal(columns: int, tmp_path: Path, builds: Builds) -> None:
    printed = table(builds.through_exec(sites.site("full")).stdout.decode(), tmp_path, columns)
    assert max(map(len, printed)) <= columns
    assert any("edx.lms.core" in line for line in printed)


def test_no_worker_is_said(tmp_path: Path) -> None:
    assert table("{apiVersion: v1, kind: Service, metadata: {name: lms}}\n", tmp_path) == [
        "No Celery worker in this site."
    ]


def test_what_a_program_reads_is_not_wrapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(worker("lms-worker", f"--queues={'a' * 90}"))
    monkeypatch.delenv("COLUMNS", raising=False)
    assert "a" * 90 in CliRunner().invoke(main, ["queues", str(site)]).stdout
    monkeypatch.setenv("COLUMNS", "80")
    assert "a" * 90 not in CliRunner().invoke(main, ["queues", str(site)]).stdout
