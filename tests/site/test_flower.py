"""Each Flower of a build and what watches it, whoever made the objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.openedx.workers import NAME_LABEL
from kustomizer.site.flower import FlowerRow, flower_sentences, flowers_of
from kustomizer.site.model import Site
from tests import sites
from tests.rules.small_site import deployment, resource, site, worker

if TYPE_CHECKING:
    from typing import Any

    from tests.builds import Builds

ALONE = FlowerRow(namespace="openedx", kind="Deployment", name="flower")
OURS = """\
spec:
  workers: {lms: {high: {}, high_mem: {}}}
  flower: {enabled: true, insecure: true%s}
  monitoring: {prometheusRule: {enabled: %s}}
"""


def flower(namespace: str = "openedx") -> str:
    return deployment("flower", {"image": "docker.io/mher/flower:2.0.1"}, namespace=namespace)


def service(name: str = "flower") -> str:
    metadata = {"name": f"{name}-web", "namespace": "openedx", "labels": {"team": "a"}}
    return resource("Service", name, metadata=metadata, spec={"selector": {NAME_LABEL: name}})


def monitor(*, namespace: str = "openedx", **spec: Any) -> str:
    return resource("ServiceMonitor", "celery", namespace=namespace, spec=spec)


def rule(**entry: str) -> str:
    return resource("PrometheusRule", "tasks", spec={"groups": [{"name": "a", "rules": [entry]}]})


def test_a_flower_that_nothing_watches() -> None:
    assert flowers_of(site(flower(), service(), worker("lms-worker"))) == [ALONE]
    assert flowers_of(site(worker("lms-worker"))) == []
    assert flower_sentences([ALONE], str) == ["Flower: Deployment flower, watched by nothing"]


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {"matchLabels": {"team": "a"}}},
        {"selector": {}},
        {"selector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}},
        {"selector": {}, "namespaceSelector": {"matchNames": ["other", "openedx"]}, "namespace": "monitoring"},
        {"selector": {}, "namespaceSelector": {"any": True}, "namespace": "monitoring"},
    ],
)
def test_a_service_monitor_that_selects_its_service(spec: dict[str, Any]) -> None:
    (row,) = flowers_of(site(flower(), service(), monitor(**spec)))
    assert row.service_monitors == ("celery",)


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {"matchLabels": {"team": "b"}}},
        {"selector": {}, "namespace": "monitoring"},
        {"selector": {}, "namespaceSelector": {"matchNames": ["other"]}},
        {"selector": None},
        {"selector": {"matchLabels": {"team": "a"}}, "namespaceSelector": {"any": "yes", "matchNames": ["other"]}},
    ],
)
def test_a_service_monitor_that_does_not(spec: dict[str, Any]) -> None:
    assert flowers_of(site(flower(), service(), monitor(**spec))) == [ALONE]


def test_a_service_of_other_pods() -> None:
    assert flowers_of(site(flower(), service("lms"), monitor(selector={}))) == [ALONE]


def test_dashboards_and_rules_ask_for_its_metrics() -> None:
    panel = '{"expr": "sum(flower_events_total)"}'
    watching = [resource("ConfigMap", "board", data={"a.json": panel}), rule(expr="flower_worker_online == 0")]
    (row,) = flowers_of(site(flower(), *watching))
    assert (row.dashboards, row.prometheus_rules) == (("board",), ("tasks",))
    not_watching = [
        resource("ConfigMap", "script", data={"a.py": panel}),
        resource("ConfigMap", "flower-config", data={"a.json": '{"host": "flower", "wall_flower_events": 1}'}),
        rule(expr="up{job='lms'} == 0", description="unlike flower"),
    ]
    assert flowers_of(site(flower(), *not_watching)) == [ALONE]


@pytest.mark.parametrize(
    "odd", [resource("PrometheusRule", "odd", spec={"groups": ["flower"]}), monitor(selector="flower"), service()]
)
def test_odd_objects(odd: str) -> None:
    assert flowers_of(site(flower(), odd)) == [ALONE]


def test_several_namespaces_are_named() -> None:
    rows = [ALONE, ALONE.replace(namespace="two", dashboards=("x",), service_monitors=("a", "b"))]
    assert flower_sentences(rows, lambda name: f"`{name}`") == [
        "Flower in `openedx`: Deployment `flower`, watched by nothing",
        "Flower in `two`: Deployment `flower`, watched by ServiceMonitor `a`, ServiceMonitor `b`, dashboard `x`",
    ]


@pytest.mark.parametrize(
    ("flower", "alerts", "expected"),
    [
        ("", "false", ALONE),
        ("", "true", ALONE.replace(prometheus_rules=("celery-workers",))),
        (
            ", serviceMonitor: {enabled: true}, dashboard: {enabled: true}",
            "true",
            ALONE.replace(
                service_monitors=("flower",), dashboards=("flower-dashboard",), prometheus_rules=("celery-workers",)
            ),
        ),
    ],
)
def test_what_the_function_makes(flower: str, alerts: str, expected: FlowerRow, builds: Builds) -> None:
    built = builds.through_exec(sites.site("22"), OURS % (flower, alerts))
    assert flowers_of(Site(read_build(built.stdout))) == [expected]
