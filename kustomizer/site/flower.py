"""Each Flower of a built site, and what watches it: a ServiceMonitor, a dashboard, alerts.

Everything is read from the final resources, whoever made them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings, plain_value
from kustomizer.openedx.celery_programs import is_flower
from kustomizer.openedx.selectors import selected_by, selects
from kustomizer.openedx.targeting import monitor_reaches
from kustomizer.openedx.workers import pod_template, running
from kustomizer.record import Record
from kustomizer.site.model import Site

# https://flower.readthedocs.io/en/latest/prometheus-integration.html#list-of-exported-metrics
_METRIC = re.compile(r"\bflower_(?:events|task|worker)_")
# One that asks whether Flower is there names no metric of Flower's.
_METRIC_OR_JOB = re.compile(rf'{_METRIC.pattern}|\bjob="flower"')


class FlowerRow(Record):
    """A Flower, and the names of what watches it."""

    namespace: str
    kind: str
    name: str
    service_monitors: tuple[str, ...] = ()
    dashboards: tuple[str, ...] = ()
    """ConfigMaps with a dashboard of Flower's metrics."""
    prometheus_rules: tuple[str, ...] = ()
    """Those whose rules are about Flower, or its metrics."""


def flowers_of(site: Site) -> list[FlowerRow]:
    """Return a row for each Flower of the build."""
    dashboards, rules = tuple(_dashboards(site)), tuple(_prometheus_rules(site))
    return [
        FlowerRow(
            namespace=resource.namespace,
            kind=resource.kind,
            name=resource.name,
            service_monitors=tuple(_service_monitors(site, resource)),
            dashboards=dashboards,
            prometheus_rules=rules,
        )
        for resource in site.resources.of_kind("Deployment", "StatefulSet")
        if resource.mentions("flower") and any(is_flower(container) for _, container in running(pod_template(resource)))
    ]


def services_of(site: Site, flower: Resource) -> list[Resource]:
    """Return the Services that lead to Flower's pods."""
    services = site.resources.of_kind("Service")
    return [item for item in services if item.namespace == flower.namespace and selected_by(item, flower)]


def _service_monitors(site: Site, flower: Resource) -> Iterator[str]:
    """Yield the ServiceMonitors that select a Service of Flower's pods."""
    services = services_of(site, flower)
    labels = [mapping(plain_value(lookup(service.tree, "metadata", "labels"))) for service in services]
    for monitor in site.resources.of_kind("ServiceMonitor"):
        selector = plain_value(lookup(monitor.tree, "spec", "selector"))
        if monitor_reaches(monitor, flower.namespace) and any(selects(selector, own) for own in labels):
            yield monitor.name


def _dashboards(site: Site) -> Iterator[str]:
    for resource in site.resources.of_kind("ConfigMap"):
        if resource.mentions("flower_"):
            data = mapping(plain_value(lookup(resource.tree, "data")))
            if any(str(key).endswith(".json") and _METRIC.search(str(value)) for key, value in data.items()):
                yield resource.name


def _prometheus_rules(site: Site) -> Iterator[str]:
    for resource in site.resources.of_kind("PrometheusRule"):
        groups = mappings(lookup(resource.tree, "spec", "groups")) if resource.mentions("flower") else ()
        rules = [rule for group in groups for rule in mappings(group.get("rules"))]
        if any(_METRIC_OR_JOB.search(str(rule.get("expr"))) for rule in rules):
            yield resource.name


def flower_sentences(flowers: Sequence[FlowerRow], name: Callable[[str], str]) -> list[str]:
    """Return a line for each Flower, in which ``name`` has written the names."""
    several = len({flower.namespace for flower in flowers}) > 1
    sentences = []
    for flower in flowers:
        watchers = [
            *(f"ServiceMonitor {name(monitor)}" for monitor in flower.service_monitors),
            *(f"dashboard {name(dashboard)}" for dashboard in flower.dashboards),
            *(f"alerts {name(rule)}" for rule in flower.prometheus_rules),
        ]
        where = f" in {name(flower.namespace)}" if several else ""
        watched = f"watched by {', '.join(watchers) or 'nothing'}"
        sentences.append(f"Flower{where}: {flower.kind} {name(flower.name)}, {watched}")
    return sentences
