"""The alerts: promtool runs them over series as exporters have them, and each has a page."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import parts, sites
from tests.builds import Builds
from tests.flower_site import Emitted, config, emit, site_input

PAGES = sites.ROOT / "docs" / "alerts"
ALERTS = [
    "CeleryQueueNotDraining",
    "CeleryWorkerNotReady",
    "CeleryWorkerStoppedConsuming",
    "CeleryWorkerAtMaximum",
    "KedaScalerErrors",
    "KedaScaledObjectPaused",
    "FlowerDown",
    "CeleryRestoreOrphansBlind",
]
EVERYTHING: dict[str, Any] = {
    "monitoring": {"prometheusRule": {"enabled": True}},
    "defaults": {"keda": {"enabled": True, "maxReplicas": 3}},
    "celery": {"restoreOrphans": {"enabled": True}},
}
HIGH = "lms-worker-high"
NODE = "celery@edx.lms.core.high.lms-worker-high-7d9f"


def emitted(builds: Builds, **spec: object) -> Emitted:
    return emit(site_input(builds, sites.site("22")), config({"serviceMonitor": {"enabled": True}}, **spec))


def groups(found: Emitted) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = found.objects["PrometheusRule", "celery-workers"]["spec"]["groups"]
    return rules


def names(found: Emitted) -> list[str]:
    return [rule["alert"] for group in groups(found) for rule in group["rules"] if "alert" in rule]


def promtool(*words: str | Path) -> str:
    program = parts.program("promtool")
    done = subprocess.run([program, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rules(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups(emitted(builds, **EVERYTHING))}))
    return path


def keda(worker: str, scaler: str, label: str = "namespace") -> str:
    scope = f'{label}="openedx",scaledObject="{worker}-scaledobject",scaler="{scaler}"'
    # Where labels aren't honoured, the namespace is that of KEDA itself.
    other = ',namespace="keda"' if label != "namespace" else ""
    return f"keda_scaler_metrics_value{{{scope}{other}}}"


def ready(worker: str) -> str:
    return f'kube_deployment_status_replicas_ready{{namespace="openedx",deployment="{worker}"}}'


def wanted(worker: str) -> str:
    return f'kube_deployment_spec_replicas{{namespace="openedx",deployment="{worker}"}}'


UP = {'up{namespace="openedx",job="flower"}': "1x200"}


def run(rules: Path, series: dict[str, str], fires: dict[str, list[str]], *, minute: int, **more: str) -> None:
    """Have promtool look at ``minute``: ``fires`` says which alerts, and for whom; all others must not."""
    series = {**UP, **series}
    tests = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by(alertname,worker,scaledObject)(ALERTS{alertstate="firing"})',
                        "eval_time": f"{minute}m",
                        "exp_samples": [
                            {"labels": _labels(alert, who), "value": 1}
                            for alert in sorted(fires)
                            for who in fires[alert]
                        ],
                    }
                ],
            }
        ],
    }
    path = rules.parent / "test.yaml"
    path.write_text(yaml.safe_dump(tests))
    promtool("test", "rules", path)


def _labels(alert: str, who: str) -> str:
    label = "scaledObject" if alert.startswith("Keda") else "worker"
    return f'{{alertname="{alert}"' + (f',{label}="{who}"' if who else "") + "}"


def test_promtool_takes_them(rules: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", rules)


def test_every_alert_has_a_page_and_every_page_an_alert(builds: Builds) -> None:
    found = emitted(builds, **EVERYTHING)
    assert names(found) == ALERTS
    assert sorted(path.stem for path in PAGES.glob("*.md")) == sorted([*ALERTS, "README"])
    index = (PAGES / "README.md").read_text()
    for group in groups(found):
        for rule in group["rules"]:
            if "alert" in rule:
                assert rule["annotations"]["docs"] == f"docs/alerts/{rule['alert']}.md"
                assert (PAGES / f"{rule['alert']}.md").read_text().startswith(f"# {rule['alert']}\n")
                assert f"[{rule['alert']}]({rule['alert']}.md)" in index


def test_there_are_as_many_as_there_are_parts(builds: Builds) -> None:
    monitoring = EVERYTHING["monitoring"]
    found = emitted(builds, monitoring=monitoring)
    assert names(found) == [*ALERTS[:3], "FlowerDown"]
    data = site_input(builds, sites.site("22"))
    assert names(emit(data, config({"enabled": False}, monitoring=monitoring))) == ALERTS[:3]
    without_workers = emit(data, config({}, monitoring=monitoring, workers={}))
    assert ("PrometheusRule", "celery-workers") not in without_workers.objects
    labels = found.objects["PrometheusRule", "celery-workers"]["metadata"]["labels"]
    assert labels["release"] == "prometheus"
    assert labels["app.kubernetes.io/part-of"] == "openedx"


def test_a_quiet_site_fires_nothing(rules: Path) -> None:
    busy = {keda(HIGH, "queued1"): "0 5 3 0 9 2 0 " + "0x190", keda(HIGH, "inflight"): "0 2 2 2 2 2 " + "0x190"}
    run(rules, {**busy, ready(HIGH): "1x200", wanted(HIGH): "1x200"}, {}, minute=90)


@pytest.mark.parametrize("label", ["namespace", "exported_namespace"])
def test_a_queue_that_does_not_drain(rules: Path, label: str) -> None:
    series = {
        keda(HIGH, "queued1", label): "10+1x200",
        keda(HIGH, "inflight", label): "4x200",
        ready(HIGH): "1x200",
        wanted(HIGH): "1x200",
    }
    run(rules, series, {"CeleryQueueNotDraining": [HIGH]}, minute=90)


def test_a_queue_that_drains_slowly(rules: Path) -> None:
    series = {keda(HIGH, "queued1"): "900-5x150", keda(HIGH, "inflight"): "4x200", ready(HIGH): "1x200"}
    run(rules, series, {}, minute=90)


def test_other_exporters_know_the_length_too(rules: Path) -> None:
    for metric in (
        'celery_queue_length{namespace="openedx",queue_name="edx.lms.core.high"}',
        'redis_key_size{namespace="openedx",key="site-1:edx.lms.core.high"}',
        'redis_key_size{namespace="openedx",key="edx.lms.core.high"}',
        # A priority's list.
        'redis_key_size{namespace="openedx",key="edx.lms.core.high\\x06\\x163"}',
    ):
        run(rules, {metric: "3x200", ready(HIGH): "0x200"}, _stuck(), minute=60)
    for metric in (
        'redis_key_size{namespace="openedx",key="_kombu.binding.edx.lms.core.high"}',
        'redis_key_size{namespace="openedx",key="edx.lms.core.high_mem"}',
        'redis_key_size{namespace="openedx",key="edx.lms.core.high-v2"}',
    ):
        run(
            rules,
            {metric: "3x200", ready(HIGH): "0x200", ready("lms-worker-high-mem"): "1x200"},
            _other(metric),
            minute=60,
        )


def test_an_empty_list_is_no_key_in_redis(rules: Path) -> None:
    key = 'redis_key_size{namespace="openedx",key="edx.lms.core.high"}'
    now_and_then = {key: "3 stale _ " * 70, 'redis_up{namespace="openedx"}': "1x200", ready(HIGH): "1x200"}
    run(rules, now_and_then, {}, minute=90)


def _stuck() -> dict[str, list[str]]:
    return {"CeleryQueueNotDraining": [HIGH], "CeleryWorkerNotReady": [HIGH]}


def _other(metric: str) -> dict[str, list[str]]:
    return {"CeleryQueueNotDraining": ["lms-worker-high-mem"]} if "high_mem" in metric else {}


def test_tasks_wait_and_no_pod_is_ready(rules: Path) -> None:
    series = {keda(HIGH, "queued1"): "0x10 3x200", ready(HIGH): "0x200", keda(HIGH, "inflight"): "0x200"}
    run(rules, series, {}, minute=15)
    run(rules, series, {"CeleryWorkerNotReady": [HIGH]}, minute=25)


def test_pods_are_ready_and_take_nothing(rules: Path) -> None:
    series = {keda(HIGH, "queued1"): "5x200", ready(HIGH): "2x200", keda(HIGH, "inflight"): "1x10 0x200"}
    run(rules, series, {}, minute=15)
    run(rules, series, {"CeleryWorkerStoppedConsuming": [HIGH]}, minute=30)


def test_flower_knows_who_works_where_keda_does_not(builds: Builds, tmp_path: Path) -> None:
    """Without KEDA, and with a pod that is gone whose gauge Flower keeps."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups(emitted(builds, monitoring=EVERYTHING["monitoring"]))}))
    length = 'celery_queue_length{namespace="openedx",queue_name="edx.lms.core.high"}'

    def flower(node: str, executing: int, online: int, heartbeats: int = 30) -> dict[str, str]:
        scope = f'namespace="openedx",worker="{node}"'
        return {
            f"flower_worker_number_of_currently_executing_tasks{{{scope}}}": f"{executing}x200",
            f"flower_worker_online{{{scope}}}": f"{online}x200",
            f'flower_events_total{{{scope},type="worker-heartbeat"}}': f"1+{heartbeats}x200",
        }

    series = {length: "9-0.01x200", ready(HIGH): "1x200", **flower(f"{NODE}-old", 3, 0)}
    run(path, {**series, **flower(NODE, 1, 1)}, {}, minute=40)
    run(path, {**series, **flower(NODE, 0, 1)}, {"CeleryWorkerStoppedConsuming": [HIGH]}, minute=40)
    # One that was killed in the middle of a task.
    killed = flower(f"{NODE}-killed", 1, 1, heartbeats=0)
    run(path, {**series, **flower(NODE, 0, 1), **killed}, {"CeleryWorkerStoppedConsuming": [HIGH]}, minute=40)
    # The worker of high_mem is another one.
    other = flower(NODE.replace("high.", "high_mem."), 1, 1)
    run(path, {**series, **flower(NODE, 0, 1), **other}, {"CeleryWorkerStoppedConsuming": [HIGH]}, minute=40)


def test_at_the_maximum_for_long(rules: Path) -> None:
    series = {
        keda(HIGH, "queued1"): "900-1x250",
        keda(HIGH, "inflight"): "4x250",
        wanted(HIGH): "3x250",
        ready(HIGH): "3x250",
    }
    run(rules, series, {}, minute=55)
    run(rules, series, {"CeleryWorkerAtMaximum": [HIGH]}, minute=100)
    run(rules, {**series, wanted(HIGH): "2x250"}, {}, minute=100)
    run(rules, {**series, keda(HIGH, "queued1"): "0x250"}, {}, minute=100)


@pytest.mark.parametrize("label", ["namespace", "exported_namespace"])
@pytest.mark.parametrize("metric", ["keda_scaler_detail_errors_total", "keda_scaled_object_errors_total"])
def test_keda_has_errors(rules: Path, metric: str, label: str) -> None:
    name = f"{HIGH}-scaledobject"
    series = f'{metric}{{{label}="openedx",scaledObject="{name}"}}'
    run(rules, {series: "0x10 1+2x200"}, {"KedaScalerErrors": [name]}, minute=40)
    run(rules, {series: "0x10 1+2x5 11x200"}, {}, minute=60)


def test_a_paused_scaled_object(rules: Path) -> None:
    name = f"{HIGH}-scaledobject"
    paused = {f'keda_scaled_object_paused{{namespace="openedx",scaledObject="{name}"}}': "1x200"}
    run(rules, paused, {"KedaScaledObjectPaused": [name]}, minute=90)
    other = {f'keda_scaled_object_paused{{namespace="other",scaledObject="{name}"}}': "1x200"}
    run(rules, other, {}, minute=90)


@pytest.mark.parametrize("up", ["0x200", "_x200"])
def test_flower_is_down(rules: Path, up: str) -> None:
    series = {'up{namespace="openedx",job="flower"}': up}
    run(rules, series, {"FlowerDown": [""]}, minute=30)


@pytest.mark.parametrize("label", ["namespace", "exported_namespace"])
def test_nobody_can_look_for_orphans(rules: Path, label: str) -> None:
    series = f'kube_deployment_status_replicas_ready{{{label}="openedx",deployment="celery-restore-orphans"}}'
    run(rules, {series: "1x5 0x5 1x200"}, {}, minute=14)
    run(rules, {series: "1x5 0x200"}, {"CeleryRestoreOrphansBlind": [""]}, minute=20)
