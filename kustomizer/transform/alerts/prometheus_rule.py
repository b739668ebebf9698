"""Makes the PrometheusRule: alerts on queues, workers, KEDA and Flower.

Recording rules first make series per worker, such as its queued tasks, from whichever exporter there is; the alerts
read those series. Each alert has a page of its name in docs/alerts that says what to do.
"""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import max_replicas
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.queue_names import redis_lists
from kustomizer.openedx.workers import NAME_LABEL, emitted_in, emitted_worker, site_metadata
from kustomizer.transform.alerts.promql import either_namespace, label_value, literal, matching, selector
from kustomizer.transform.alerts.rules import alert_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.model import ServicePlan, Variant

NAME = "celery-workers"
GROUPS = ("celery-workers", "celery-alerts")
"""The groups of recording rules and of alerts."""
# Tasks of a priority wait on a list of their own, with kombu's two control characters and a number behind its name.
_PRIORITY = "([^!-~]{2}[0-9]+)?"


def add_alerts(
    resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan], labels: dict[str, str]
) -> None:
    """Add the PrometheusRule; ``labels`` are those by which Prometheus selects it."""
    owner = plans[0].emitted.resource if plans else emitted_worker(resources, "lms").resource
    namespace = owner.namespace
    records: list[dict[str, Any]] = []
    for plan in plans:
        for variant in plan.variants:
            deployment = resources.find("Deployment", variant.deployment, namespace)[0]
            stated = config.spec.broker
            lists = [name for queue in variant.queues for name in redis_lists(resources, plan.emitted, queue, stated)]
            records += _records(variant, deployment, lists)
    flower = config.spec.flower
    has_keda = any(variant.settings.keda_enabled for plan in plans for variant in plan.variants)
    has_flower = flower is not None and flower.enabled and flower.service_monitor.enabled
    restores = config.spec.celery.restore_orphans.enabled
    rules = alert_rules(namespace, workers=bool(plans), keda=has_keda, flower=has_flower, restores=restores)
    groups = zip(GROUPS, (records, rules), strict=True)
    metadata = site_metadata(owner, name=NAME)
    metadata["labels"] = {**metadata["labels"], NAME_LABEL: NAME, **labels}
    filled = [{"name": name, "rules": entries} for name, entries in groups if entries]
    if filled:
        spec = {"groups": filled}
        rule = Resource.beside(owner, "monitoring.coreos.com/v1", "PrometheusRule", metadata, spec=spec)
        resources.add(rule, after=owner)


def _records(variant: Variant, deployment: Resource, lists: Sequence[str]) -> list[dict[str, Any]]:
    """Return the recording rules of one worker, whose tasks wait on these lists of Redis."""
    namespace = deployment.namespace
    replicas = {"deployment": literal(variant.deployment)}
    ready = either_namespace("kube_deployment_status_replicas_ready", namespace, replicas)
    recorded = {
        "celery:queued_tasks": _queued(variant, namespace, lists),
        "celery:ready_replicas": f"sum({ready})",
        "celery:in_flight_tasks": _in_flight(variant, deployment),
    }
    keda = variant.settings.keda
    if variant.settings.keda_enabled and keda is not None:
        replicas_metric = either_namespace("kube_deployment_spec_replicas", namespace, replicas)
        recorded["celery:at_maximum"] = f"sum({replicas_metric}) >= bool {max_replicas(keda, variant.name)}"
    labels = {"worker": variant.deployment, **({"namespace": namespace} if namespace else {})}
    return [{"record": name, "expr": expression, "labels": dict(labels)} for name, expression in recorded.items()]


def _queued(variant: Variant, namespace: str, lists: Sequence[str]) -> str:
    """Return an expression for the tasks that wait: from celery-exporter, redis_exporter or KEDA, in that order."""
    queues = "|".join(label_value(queue) for queue in variant.queues)
    keys = "|".join(dict.fromkeys(map(label_value, (*variant.queues, *lists))))
    sources = [
        either_namespace("celery_queue_length", namespace, {"queue_name": matching(queues)}),
        # The key may have a prefix before the queue's name. kombu's own keys hold the name, too, and don't count.
        either_namespace("redis_key_size", namespace, {"key": matching(f"([^_].*[^a-z0-9_.])?({keys}){_PRIORITY}")}),
    ]
    if variant.settings.keda_enabled:
        sources.append(_keda(variant, namespace, matching("queued[0-9]+")))
    chain = [f"sum({source})" for source in sources]
    # An empty list is no key in Redis: without this a queue that empties now and then would never seem empty.
    chain.append(f"0 * sum({either_namespace('redis_up', namespace, {})})")
    return " or ".join(chain)


def _in_flight(variant: Variant, deployment: Resource) -> str:
    """Return an expression for the tasks that a worker is working on.

    KEDA's count of the worker's own in-flight key comes first. The default workers share a key: there Flower does.
    """
    namespace = deployment.namespace
    node = {"worker": matching(_node_name(variant, deployment))}
    executing = selector("flower_worker_number_of_currently_executing_tasks", namespace, node)
    online = selector("flower_worker_online", namespace, node)
    # Flower shows a killed worker as online and busy for ever; its missing heartbeat tells it apart.
    heartbeats = selector("flower_events_total", namespace, {**node, "type": literal("worker-heartbeat")})
    silent = f"increase({heartbeats}[2m]) == 0"
    sources = [f"sum({executing} and on(worker) {online} == 1 unless on(worker) {silent})"]
    keda = variant.settings.keda
    counted = variant.service in OPEN_EDX_SERVICES and keda is not None and keda.in_flight != "Off"
    if variant.settings.keda_enabled and counted:
        sources.insert(
            len(sources) if variant.is_default else 0, f"sum({_keda(variant, namespace, literal('inflight'))})"
        )
    return " or ".join(sources)


def _keda(variant: Variant, namespace: str, scaler: str) -> str:
    matchers = {"scaledObject": literal(f"{variant.deployment}-scaledobject"), "scaler": scaler}
    return either_namespace("keda_scaler_metrics_value", namespace, matchers)


def _node_name(variant: Variant, deployment: Resource) -> str:
    """Return a regular expression for the names of the worker's nodes in Celery."""
    worker = emitted_in(variant.service, deployment)
    option = worker.command_line.option("--hostname") if worker is not None else None
    name, at, host = (option or "celery@%h").partition("@")
    if not at:
        name, host = "celery", name
    # %h is the pod's whole host name, %d its domain, %n and %i of a name or a child; %% is a percent sign.
    return f"{_host_pattern(name)}@{_host_pattern(host)}"


def _host_pattern(text: str) -> str:
    parts = text.split("%")
    pattern = label_value(parts[0])
    rest = iter(parts[1:])
    for part in rest:
        pattern += f".*{label_value(part[1:])}"
    return pattern
