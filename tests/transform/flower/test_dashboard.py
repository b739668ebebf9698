"""The dashboard that is shipped, and what collects the metrics for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dashboard_panels import PANELS

from tests import parts, sites
from tests.builds import Builds
from tests.flower_site import config, emit, site_input

TITLES = [
    "Total Queue Length",
    "Queue Length by task name",
    "Celery Worker Status",
    "Number of Tasks Currently Executing at Worker",
    "Average Task Runtime at Worker",
    "Task Prefetch Time at Worker",
    "Number of Tasks Prefetched at Worker",
    "Tasks Success Ratio",
    "Tasks Failure Ratio",
]
TARGET = sites.ROOT / "kustomizer" / "data" / "celery-dashboard.json"
SCHEMA = sites.ROOT / "tests" / "schemas" / "prometheus-operator-0.93.0-servicemonitors.yaml"


def strict(schema: Any) -> Any:
    """Return ``schema`` without room for unknown fields, which an API server would drop or refuse."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and "type" in closed and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


# Grafana's library needs Python 3.11; the function does not need the library.
if sys.version_info >= (3, 11):

    def test_is_what_the_script_builds() -> None:
        from build_dashboard import build  # noqa: PLC0415

        assert TARGET.read_text() == build(), "run tools/build_dashboard.py"


def test_panels_are_upstreams_by_name_and_say_what_they_measure() -> None:
    dashboard = json.loads(TARGET.read_text())
    assert [panel["title"] for panel in dashboard["panels"]] == TITLES
    assert all(panel["description"] for panel in dashboard["panels"])
    for title in ("Total Queue Length", "Queue Length by task name"):
        [panel] = [panel for panel in PANELS if panel.title == title]
        assert "only estimates" in panel.description


def test_data_source_and_namespace_are_variables() -> None:
    dashboard = json.loads(TARGET.read_text())
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "namespace"]
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert 'namespace="$namespace"' in target["expr"]


def test_places_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in json.loads(TARGET.read_text())["panels"]]
    cells = [(x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in (place["y"],)]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_promtool_takes_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$namespace", "openedx")}
        for number, expression in enumerate(expression for panel in PANELS for expression in panel.queries.values())
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yaml")


F = 'namespace="openedx"'
GONE = f'{F},worker="killed"'


@pytest.mark.parametrize(
    ("title", "series", "expected"),
    [
        ("Total Queue Length", {f'celery_queue_length{{{F},queue_name="edx.lms.core.high"}}': 7}, [7]),
        (
            "Total Queue Length",
            {
                f'redis_key_size{{{F},key="edx.lms.core.high"}}': 3,
                f'redis_key_size{{{F},key="site-1:edx.cms.core.default"}}': 4,
                f'redis_key_size{{{F},key="_kombu.binding.edx.lms.core"}}': 50,
                f'redis_key_size{{{F},key="unacked.lms-worker-high"}}': 50,
            },
            [7],
        ),
        (
            "Total Queue Length",
            {
                'keda_scaler_metrics_value{exported_namespace="openedx",namespace="keda",scaler="queued1"}': 7,
                'keda_scaler_metrics_value{exported_namespace="openedx",namespace="keda",scaler="inflight"}': 50,
                'keda_scaler_metrics_value{exported_namespace="other",namespace="keda",scaler="queued1"}': 50,
            },
            [7],
        ),
        ("Total Queue Length", {f'flower_events_total{{{F},type="task-sent"}}': 7}, [7]),
        (
            "Celery Worker Status",
            {f"flower_worker_online{{{GONE}}}": 1, f'flower_events_total{{{GONE},type="worker-heartbeat"}}': 9},
            [0],
        ),
        (
            "Number of Tasks Currently Executing at Worker",
            {
                f"flower_worker_number_of_currently_executing_tasks{{{GONE}}}": 1,
                f"flower_worker_online{{{GONE}}}": 1,
                f'flower_events_total{{{GONE},type="worker-heartbeat"}}': 9,
            },
            [],
        ),
    ],
)
def test_true_lengths_and_killed_workers(
    title: str, series: dict[str, int], expected: list[int], tmp_path: Path
) -> None:
    """What the real run in test_real_dashboard.py has no exporter and no time for."""
    # Flower's estimate is there as well, and wrong.
    series = {f'flower_events_total{{{F},type="task-sent",task="a"}}': 0, **series}
    [panel] = [panel for panel in PANELS if panel.title == title]
    everything = " or ".join(f"sum({each})" for each in panel.queries.values()).replace("$namespace", "openedx")
    check = {"expr": everything, "eval_time": "10m", "exp_samples": [{"value": value} for value in expected]}
    inputs = [{"series": name, "values": f"{value}x20"} for name, value in series.items()]
    path = tmp_path / "test.yaml"
    test = {"interval": "30s", "input_series": inputs, "promql_expr_test": [check]}
    path.write_text(yaml.safe_dump({"tests": [test]}))
    promtool("test", "rules", path)


def promtool(*words: str | Path) -> None:
    program = parts.program("promtool")
    done = subprocess.run([program, *words], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def test_config_map_for_grafanas_sidecar(builds: Builds) -> None:
    found = emit(site_input(builds, sites.site("22")), config({"dashboard": {"enabled": True}}))
    config_map = found.objects["ConfigMap", "flower-dashboard"]
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config_map["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"
    assert "${datasource}" in TARGET.read_text()
    assert config_map["data"] == {"celery-dashboard.json": TARGET.read_text()}
    labels = {"labels": {"team": "x"}}
    found = emit(site_input(builds, sites.site("22")), config({"dashboard": {"enabled": True, **labels}}))
    assert found.objects["ConfigMap", "flower-dashboard"]["metadata"]["labels"]["team"] == "x"


def test_is_not_parsed_at_build_time() -> None:
    code = (
        "import sys\nfrom kustomizer.transform.flower import expose, monitoring, objects\n"
        "from kustomizer.transform.alerts import prometheus_rule\n"
        "print([name for name in ('json', 'yaml', 'urllib.parse', 'base64', 'typing', 'dataclasses', 'pathlib')"
        " if name in sys.modules])"
    )
    # -I -S: nothing that a virtual environment imports at start counts.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(sites.ROOT)!r})\n{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("monitor", [{"enabled": True}, {"enabled": True, "interval": 15, "labels": {}}])
def test_service_monitor_is_valid(monitor: dict[str, object], builds: Builds) -> None:
    found = emit(site_input(builds, sites.site("22")), config({"serviceMonitor": monitor}))
    tree = found.objects["ServiceMonitor", "flower"]
    schema = strict(yaml.safe_load(SCHEMA.read_text()))
    schema["properties"]["metadata"] = {"type": "object"}
    jsonschema.validate(tree, schema)
    assert tree["spec"]["namespaceSelector"] == {"matchNames": ["openedx"]}
    assert tree["metadata"]["labels"].get("release") == ("prometheus" if "labels" not in monitor else None)
    wrong = {**tree, "spec": {**tree["spec"], "namespaceSelectors": {}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
