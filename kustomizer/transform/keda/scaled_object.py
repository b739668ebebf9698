"""KEDA's objects: a ScaledObject for each worker that scales on its queues and on what it is working on.

KEDA's documentation (https://keda.sh/docs/2.21/reference/scaledobject-spec/) says what the fields do; its Redis scaler
(pkg/scalers/redis_scaler.go) counts a list's length and a hash's fields alike. Only fields of KEDA 2.15 are used.
"""

from __future__ import annotations

from kustomizer.config.checks import PAUSED, PAUSED_REPLICAS, TRANSFER_HPA
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import max_replicas
from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import Resource, same_object
from kustomizer.manifests.tree import lookup, text_at
from kustomizer.openedx.queue_names import redis_lists
from kustomizer.openedx.targeting import autoscalers_by_target
from kustomizer.openedx.workers import site_metadata
from kustomizer.record import Record
from kustomizer.transform.keda.checks import (
    check_named_hpa,
    check_rivals,
    check_triggers,
    other_scaled_object,
    taken_over,
    warnings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.config.worker import Keda
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.broker import Brokers
    from kustomizer.openedx.endpoint import Endpoint
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan, Variant

LIST_LENGTH = 40
"""Queued tasks per pod unless the configuration says otherwise, as tutor-contrib-celery has it."""

# The in-flight trigger of `inFlight: Zero` has to wake the worker and never ask for a second pod: any count divided by
# this rounds up to one.
_NEVER_A_SECOND = 1_000_000
# KEDA uses its HPA's name as a label's value, too. The name is `keda-hpa-<ScaledObject>` unless it is stated; 2.20
# refuses one that is too long for a label (verifyName in scaledobject_webhook.go).
_LABEL_LENGTH = 63


class _Triggers(Record):
    """The triggers on a worker's queues, and the one on its tasks in flight, where there is one."""

    queued: Sequence[dict[str, Any]]
    in_flight: Sequence[dict[str, Any]]


def scale(resources: Resources, config: CeleryWorkers, plan: ServicePlan, brokers: Brokers) -> list[Problem]:
    """Add the objects that scale the workers of ``plan``. Returns warnings; raises UserError for what is refused."""
    scaled = [variant for variant in plan.variants if variant.settings.keda_enabled]
    if not scaled:
        return []
    worker = plan.emitted.resource
    broker, notes = brokers.of(plan.service, worker)
    credentials: dict[str, str] = {}
    added: list[Resource] = []
    if not broker.is_open or config.spec.broker is not None:
        from kustomizer.transform.keda.authentication import authentication  # noqa: PLC0415 - most sites' Redis is open

        credentials, added = authentication(config, plan.service, broker, worker)
    # Read before ours are added.
    autoscalers = autoscalers_by_target(resources, worker)
    problems: list[Problem] = []
    for variant in scaled:
        try:
            hpa = check_rivals(autoscalers.get(variant.deployment, ()), variant, own=_name(variant))
            stated = config.spec.broker
            lists = [name for queue in variant.queues for name in redis_lists(resources, plan.emitted, queue, stated)]
            triggers = _triggers(variant, broker, credentials, lists)
            notes += _scale(resources, config, variant, plan.emitted, triggers=triggers, hpa=hpa)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(*problems)
    for resource in added:
        resources.add(resource, after=worker)
    return notes


def _name(variant: Variant) -> str:
    return f"{variant.deployment}-scaledobject"


def _scale(
    resources: Resources,
    config: CeleryWorkers,
    variant: Variant,
    emitted: EmittedWorker,
    *,
    triggers: _Triggers,
    hpa: Resource | None,
) -> list[Problem]:
    name = _name(variant)
    deployment = resources.find("Deployment", variant.deployment, emitted.resource.namespace)[0]
    check_named_hpa(resources, config, variant, deployment.namespace)
    has_lists = len(triggers.queued) > len(variant.queues)
    check_triggers(config, variant, (*triggers.queued, *triggers.in_flight), has_formula=has_lists)
    present = next(iter(resources.find("ScaledObject", name, deployment.namespace)), None)
    replaced = hpa.name if hpa else _taken_elsewhere(present, _keda(variant))
    metadata = site_metadata(deployment, name=name)
    metadata["annotations"] |= _annotations(_keda(variant))
    if replaced:
        metadata["annotations"][TRANSFER_HPA] = "true"
    formula = ""
    if _keda(variant).in_flight == "Slots":
        from kustomizer.transform.keda.slots import slots  # noqa: PLC0415 - by default tasks in flight aren't counted

        formula = _formula(variant, triggers, slots=slots(resources, config, variant, deployment, emitted))
    elif has_lists:
        formula = _formula(variant, triggers, slots=None)
    usual = f"keda-hpa-{name}"
    hpa_name = replaced or (f"keda-hpa-{variant.deployment}" if len(usual) > _LABEL_LENGTH else "")
    spec = _spec(variant, triggers, formula=formula, hpa_name=hpa_name)
    made = Resource.beside(deployment, "keda.sh/v1alpha1", "ScaledObject", metadata, spec=spec)
    if present is not None and not same_object(present.tree, made.tree):
        raise UserError(other_scaled_object(present, variant))
    if hpa is not None:
        resources.remove(hpa)
    resources.add(made, after=deployment)
    return [
        *([taken_over(hpa, variant)] if hpa else []),
        *warnings(config, variant, _slots(resources, variant, deployment, emitted)),
    ]


def _slots(resources: Resources, variant: Variant, deployment: Resource, emitted: EmittedWorker) -> int | None:
    """Return how many tasks a pod works on at a time where that matters; Tutor's worker may say so itself."""
    if variant.settings.concurrency is not None or _keda(variant).list_length is None:
        return variant.settings.concurrency
    from kustomizer.transform.keda.slots import known_slots  # noqa: PLC0415 - as above

    return known_slots(resources, variant, deployment, emitted)


def _keda(variant: Variant) -> Keda:
    keda = variant.settings.keda
    assert keda is not None  # noqa: S101 - scale() asks for enabled ones only
    return keda


def _annotations(keda: Keda) -> dict[str, str]:
    annotations = {key: value for key, value in (keda.annotations or {}).items() if value is not None}
    if keda.paused_replicas is not None:
        annotations[PAUSED_REPLICAS] = str(keda.paused_replicas)
    elif keda.paused:
        annotations[PAUSED] = "true"
    return annotations


def _taken_elsewhere(present: Resource | None, keda: Keda) -> str:
    """Return the name of an HPA that isn't in the input: the configuration names it, or an earlier run took it over."""
    if isinstance(keda.replace_hpa, str):
        return keda.replace_hpa
    if present is None or not keda.replace_hpa or not lookup(present.tree, "metadata", "annotations", TRANSFER_HPA):
        return ""
    return text_at(present.tree, "spec", "advanced", "horizontalPodAutoscalerConfig", "name")


def _spec(variant: Variant, triggers: _Triggers, *, formula: str, hpa_name: str) -> dict[str, Any]:
    keda = _keda(variant)
    hpa_config: dict[str, Any] = {"name": hpa_name} if hpa_name else {}
    if keda.behavior:
        hpa_config["behavior"] = keda.behavior
    # Without it, a worker at 0 stays at 0 when the ScaledObject is deleted: Tutor's manifest has no replicas.
    advanced: dict[str, Any] = {"restoreToOriginalReplicaCount": True}
    if hpa_config:
        advanced["horizontalPodAutoscalerConfig"] = hpa_config
    if formula:
        advanced["scalingModifiers"] = {
            "formula": formula,
            "target": "1",
            "activationTarget": "0",
            "metricType": "AverageValue",
        }
    optional = {
        "idleReplicaCount": keda.idle_replicas,
        "pollingInterval": keda.polling_interval,
        "cooldownPeriod": keda.cooldown_period,
        "initialCooldownPeriod": keda.initial_cooldown_period,
        "fallback": keda.fallback,
    }
    return {
        "scaleTargetRef": {"kind": "Deployment", "name": variant.deployment},
        "minReplicaCount": keda.min_replicas or 0,
        "maxReplicaCount": max_replicas(keda, variant.name),
        **{key: value for key, value in optional.items() if value is not None},
        "advanced": advanced,
        "triggers": [*triggers.queued, *triggers.in_flight, *(keda.extra_triggers or ())],
    }


def _triggers(variant: Variant, broker: Endpoint, credentials: dict[str, str], lists: Sequence[str]) -> _Triggers:
    """Return the triggers on the lists of the worker's queues, and the one on its tasks in flight."""
    keda = _keda(variant)

    def trigger(name: str, metadata: dict[str, str]) -> dict[str, Any]:
        return {
            "type": "redis-sentinel" if broker.sentinel_master else "redis",
            "name": name,
            # The default; with a fallback KEDA 2.15 wants it stated (CheckFallbackValid).
            **({"metricType": "AverageValue"} if keda.fallback else {}),
            "metadata": metadata,
            **({"authenticationRef": dict(credentials)} if credentials else {}),
        }

    queued = []
    for number, name in enumerate(lists, start=1):
        metadata = _trigger_metadata(broker, name, keda.list_length or LIST_LENGTH)
        if keda.activation_list_length is not None:
            metadata["activationListLength"] = str(keda.activation_list_length)
        queued.append(trigger(f"queued{number}", metadata))
    default = "Zero" if variant.service in OPEN_EDX_SERVICES else "Off"
    if (keda.in_flight or default) == "Off":
        return _Triggers(queued=queued, in_flight=())
    key = f"unacked{variant.unacked_suffix}" if variant.unacked_suffix else broker.unacked_key
    per_pod = 1 if keda.in_flight == "Slots" else _NEVER_A_SECOND
    in_flight = trigger("inflight", _trigger_metadata(broker, key, per_pod))
    return _Triggers(queued=queued, in_flight=(in_flight,))


def _trigger_metadata(broker: Endpoint, key: str, per_pod: int) -> dict[str, str]:
    metadata = {"listName": f"{broker.key_prefix}{key}", "listLength": str(per_pod)}
    if broker.sentinel_master:
        metadata |= {"addresses": ",".join(broker.addresses), "sentinelMaster": broker.sentinel_master}
        if broker.sentinel_username:
            metadata["sentinelUsername"] = broker.sentinel_username
    else:
        metadata["address"] = broker.addresses[0]
    if broker.username:
        metadata["username"] = broker.username
    if broker.database:
        metadata["databaseIndex"] = str(broker.database)
    if broker.tls:
        metadata["enableTLS"] = "true"
        if broker.unsafe:
            metadata["unsafeSsl"] = "true"
    return metadata


def _formula(variant: Variant, triggers: _Triggers, *, slots: int | None) -> str:
    """Return the formula that adds up what is queued, and busy slots; of two triggers the HPA would take the larger.

    KEDA compares the formula's result with ``activationTarget``, and no trigger with its own activation value. So the
    formula itself says when the worker wakes: one task in flight suffices, however small a part of a pod it is. Without
    ``slots`` tasks in flight keep the worker from zero, and ask for no second pod.
    """
    keda, queued = _keda(variant), [str(trigger["name"]) for trigger in triggers.queued]
    total = f"({' + '.join(queued)})" if len(queued) > 1 else queued[0]
    load = f"{total}/{keda.list_length or LIST_LENGTH}"
    if slots is not None:
        load += f" + inflight/{slots}"
    elif triggers.in_flight:
        load = f"max({load}, inflight > 0 ? 1/{_NEVER_A_SECOND} : 0)"
    if not keda.activation_list_length:
        return load
    # Lists of one queue's priorities wake the worker together.
    counted = queued if len(queued) == len(variant.queues) else [total]
    awake = [f"{name} > {keda.activation_list_length}" for name in counted]
    if triggers.in_flight:
        awake.append("inflight > 0")
    return f"({' || '.join(awake)}) ? {load} : 0"
