"""The alerts; each has a page of its name in docs/alerts."""

from __future__ import annotations

from kustomizer.transform.alerts.promql import either_namespace, literal, selector
from kustomizer.transform.one_pod import FLOWER, RESTORER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def alert_rules(namespace: str, *, workers: bool, keda: bool, flower: bool, restores: bool) -> list[dict[str, Any]]:
    """Return the alerts for a site that has these parts."""
    rules: list[dict[str, Any]] = []
    if workers:
        rules += _of_workers(namespace)
    if keda:
        rules += _of_keda(namespace)
    if flower:
        rules.append(_flower_down(namespace))
    if restores:
        rules.append(_restore_orphans_blind(namespace))
    return rules


def _rule(name: str, expression: str, *, lasting: str, severity: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description, "docs": f"docs/alerts/{name}.md"},
    }


def _recorded(name: str, namespace: str) -> str:
    return selector(f"celery:{name}", namespace, {})


def _over(function: str, name: str, namespace: str, window: str) -> str:
    return f"{function}({_recorded(name, namespace)}[{window}])"


def _of_workers(namespace: str) -> list[dict[str, Any]]:
    queued = _recorded("queued_tasks", namespace)
    return [
        _rule(
            "CeleryQueueNotDraining",
            f"{_over('min_over_time', 'queued_tasks', namespace, '30m')} > 0"
            f" and {_over('deriv', 'queued_tasks', namespace, '30m')} >= 0"
            f" and {queued} offset 30m > 0",
            lasting="15m",
            severity="warning",
            summary="The queue of {{ $labels.worker }} doesn't drain",
            description="Tasks have waited for {{ $labels.worker }} for half an hour, and they don't become fewer: "
            "{{ $value }} at the least.",
        ),
        _rule(
            "CeleryWorkerNotReady",
            f"{queued} > 0 and {_recorded('ready_replicas', namespace)} == 0",
            lasting="10m",
            severity="critical",
            summary="Tasks wait for {{ $labels.worker }}, which has no ready pod",
            description="{{ $value }} tasks wait, and for ten minutes no pod of {{ $labels.worker }} has been ready.",
        ),
        _rule(
            "CeleryWorkerStoppedConsuming",
            f"{_over('min_over_time', 'queued_tasks', namespace, '10m')} > 0"
            f" and {_over('min_over_time', 'ready_replicas', namespace, '10m')} > 0"
            f" and {_over('max_over_time', 'in_flight_tasks', namespace, '10m')} == 0",
            lasting="5m",
            severity="critical",
            summary="{{ $labels.worker }} runs, but takes no tasks",
            description="Tasks wait, pods of {{ $labels.worker }} are ready, and none has worked on anything for ten "
            "minutes: Celery workers may stop consuming after they lost the connection to Redis.",
        ),
    ]


def _of_keda(namespace: str) -> list[dict[str, Any]]:
    queued = _over("min_over_time", "queued_tasks", namespace, "15m")
    errors = ("keda_scaler_detail_errors_total", "keda_scaled_object_errors_total")
    return [
        _rule(
            "CeleryWorkerAtMaximum",
            f"{_recorded('at_maximum', namespace)} == 1 and {queued} > 0",
            lasting="1h",
            severity="warning",
            summary="{{ $labels.worker }} has been at maxReplicas for an hour",
            description="KEDA has scaled {{ $labels.worker }} to its maximum, and tasks wait all the same.",
        ),
        _rule(
            "KedaScalerErrors",
            " or ".join(f"sum by(scaledObject)({_increase(metric, namespace)}) > 0" for metric in errors),
            lasting="10m",
            severity="warning",
            summary="KEDA fails to scale {{ $labels.scaledObject }}",
            description="KEDA has had errors with {{ $labels.scaledObject }} for ten minutes; its worker keeps the "
            "number of pods that it has.",
        ),
        _rule(
            "KedaScaledObjectPaused",
            f"max by(scaledObject)({either_namespace('keda_scaled_object_paused', namespace, {})}) == 1",
            lasting="1h",
            severity="warning",
            summary="{{ $labels.scaledObject }} is paused",
            description="{{ $labels.scaledObject }} has been paused for an hour; its worker doesn't scale.",
        ),
    ]


def _flower_down(namespace: str) -> dict[str, Any]:
    up = selector("up", namespace, {"job": literal(FLOWER)})
    return _rule(
        "FlowerDown",
        f"absent({up} == 1)",
        lasting="10m",
        severity="warning",
        summary="Flower's metrics can't be read",
        description="Prometheus hasn't reached Flower for ten minutes: the dashboard shows nothing, and the workers "
        "may well be fine.",
    )


def _restore_orphans_blind(namespace: str) -> dict[str, Any]:
    deployment = {"deployment": literal(RESTORER)}
    ready = either_namespace("kube_deployment_status_replicas_ready", namespace, deployment)
    return _rule(
        "CeleryRestoreOrphansBlind",
        f"sum({ready}) == 0",
        lasting="10m",
        severity="warning",
        summary="Nobody can look for tasks that killed workers left",
        description=f"{RESTORER} hasn't been able to look for ten minutes: what a killed worker had comes "
        "back when its visibility timeout is over.",
    )


def _increase(metric: str, namespace: str) -> str:
    """Return a counter's increase in either namespace; a range takes no ``or``, as either_namespace() has it."""
    labels = ("namespace", "exported_namespace") if namespace else ("namespace",)
    return " or ".join(f"increase({selector(metric, namespace, {}, label=label)}[10m])" for label in labels)
