"""KEDA's objects: a ScaledObject for each worker that scales on its queues, and the credentials it needs for that.

What the fields do is in KEDA's documentation (https://keda.sh/docs/2.20/reference/scaledobject-spec/) and its Redis
scaler (pkg/scalers/redis_scaler.go), which counts a list's length and a hash's fields alike. Only what KEDA 2.15 has is
used.
"""

from __future__ import annotations

from kustomizer.broker import endpoint
from kustomizer.config_worker import max_replicas
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.record import Record
from kustomizer.resources import Resource
from kustomizer.tree import lookup
from kustomizer.tutor import OPEN_EDX_SERVICES, emitted_in, site_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.broker import Endpoint
    from kustomizer.config import CeleryWorkers
    from kustomizer.config_worker import Keda
    from kustomizer.plan import ServicePlan, Variant
    from kustomizer.resources import Resources

LIST_LENGTH = 40
"""Queued tasks per pod unless the configuration says otherwise, as tutor-contrib-celery has it."""

# The in-flight trigger of `inFlight: Zero` must wake the worker and never ask for a second pod: any count divided by
# this rounds up to one.
_NEVER_A_SECOND = 1_000_000
# HPA metrics of these scalers aren't external ones, so they count beside a formula (KEDA's getScaledObjectMetricSpecs).
_RESOURCE_TRIGGERS = frozenset({"cpu", "memory"})
_TRANSFER = "scaledobject.keda.sh/transfer-hpa-ownership"


class _Authentication(Record):
    """What a trigger's ``authenticationRef`` names."""

    name: str
    kind: str = "TriggerAuthentication"


def scale(resources: Resources, config: CeleryWorkers, plan: ServicePlan) -> list[Problem]:
    """Add what scales the workers of ``plan`` with KEDA. Returns warnings; raises UserError for what is refused."""
    scaled = [variant for variant in plan.variants if variant.settings.keda_enabled]
    if not scaled:
        return []
    worker = plan.emitted.resource
    found, notes = endpoint(resources, config, plan.service, worker)
    authentication, secrets = _authentication(config, plan.service, found, worker)
    problems: list[Problem] = []
    for variant in scaled:
        deployment = resources.find("Deployment", variant.deployment, worker.namespace)[0]
        try:
            hpas, warnings = _rivals(resources, variant, deployment)
            taken = hpas[0].name if hpas else _taken_before(resources, variant, deployment)
            new = _scaled_object(variant, deployment, found, authentication, takes_over=taken)
        except UserError as error:
            problems += error.problems
            continue
        for hpa in hpas:
            resources.remove(hpa)
        resources.add(new, after=deployment)
        notes += [*warnings, *_warnings(variant)]
    if problems:
        raise UserError(*problems)
    for secret in secrets:
        resources.add(secret, after=worker)
    return notes


def _scaled_object(
    variant: Variant,
    deployment: Resource,
    found: Endpoint,
    authentication: _Authentication | None,
    *,
    takes_over: str,
) -> Resource:
    keda = variant.settings.keda
    assert keda is not None  # noqa: S101 - scale() asks for enabled ones only
    metadata = site_metadata(deployment, name=f"{variant.deployment}-scaledobject")
    hpa_config: dict[str, Any] = {}
    if takes_over:
        metadata["annotations"][_TRANSFER] = "true"
        hpa_config["name"] = takes_over
    if keda.behavior:
        hpa_config["behavior"] = keda.behavior
    queues, in_flight = _triggers(variant, keda, found, authentication)
    # Without it a worker that KEDA took to 0 stays there when the ScaledObject goes: Tutor's manifest has no replicas.
    advanced: dict[str, Any] = {"restoreToOriginalReplicaCount": True}
    if hpa_config:
        advanced["horizontalPodAutoscalerConfig"] = hpa_config
    if keda.in_flight == "Slots":
        advanced["scalingModifiers"] = _sum(variant, keda, deployment, queues)
    optional = {
        "idleReplicaCount": keda.idle_replicas,
        "pollingInterval": keda.polling_interval,
        "cooldownPeriod": keda.cooldown_period,
        "initialCooldownPeriod": keda.initial_cooldown_period,
        "fallback": keda.fallback,
    }
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": variant.deployment},
        "minReplicaCount": keda.min_replicas or 0,
        "maxReplicaCount": max_replicas(keda, variant.name),
        **{key: value for key, value in optional.items() if value is not None},
        "advanced": advanced,
        "triggers": [*queues, *in_flight, *(keda.extra_triggers or ())],
    }
    tree = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": spec}
    return Resource.new(tree, indent=deployment.indent)


def _triggers(
    variant: Variant, keda: Keda, found: Endpoint, authentication: _Authentication | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the triggers on the worker's queues, and the one on what it is working on."""
    queues = []
    for number, queue in enumerate(variant.queues, start=1):
        metadata = _trigger_metadata(found, queue, keda.list_length or LIST_LENGTH)
        if keda.activation_list_length is not None:
            metadata["activationListLength"] = str(keda.activation_list_length)
        queues.append(_trigger(f"queued{number}", metadata, found, authentication))
    if (keda.in_flight or _default_in_flight(variant)) == "Off":
        return queues, []
    per_pod = 1 if keda.in_flight == "Slots" else _NEVER_A_SECOND
    metadata = _trigger_metadata(found, f"unacked{variant.unacked_suffix}", per_pod)
    return queues, [_trigger("inflight", metadata, found, authentication)]


def _default_in_flight(variant: Variant) -> str:
    return "Zero" if variant.service in OPEN_EDX_SERVICES else "Off"


def _trigger(
    name: str, metadata: dict[str, str], found: Endpoint, authentication: _Authentication | None
) -> dict[str, Any]:
    trigger: dict[str, Any] = {
        "type": "redis-sentinel" if found.sentinel_master else "redis",
        "name": name,
        "metadata": metadata,
    }
    if authentication is not None:
        trigger["authenticationRef"] = {"name": authentication.name}
        if authentication.kind != "TriggerAuthentication":
            trigger["authenticationRef"]["kind"] = authentication.kind
    return trigger


def _trigger_metadata(found: Endpoint, key: str, per_pod: int) -> dict[str, str]:
    metadata = {"listName": f"{found.key_prefix}{key}", "listLength": str(per_pod)}
    if found.sentinel_master:
        metadata |= {"addresses": ",".join(found.addresses), "sentinelMaster": found.sentinel_master}
        if found.sentinel_username:
            metadata["sentinelUsername"] = found.sentinel_username
    else:
        metadata["address"] = found.addresses[0]
    if found.username:
        metadata["username"] = found.username
    if found.database:
        metadata["databaseIndex"] = str(found.database)
    if found.tls:
        metadata["enableTLS"] = "true"
        if found.unsafe:
            metadata["unsafeSsl"] = "true"
    return metadata


def _sum(variant: Variant, keda: Keda, deployment: Resource, queues: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the formula that adds busy slots to what is queued; of two triggers the HPA would take the larger."""
    lost = [trigger for trigger in keda.extra_triggers or () if trigger.get("type") not in _RESOURCE_TRIGGERS]
    if lost:
        raise UserError(
            Problem(
                message="with inFlight: Slots KEDA heeds the formula and cpu and memory triggers, and no others",
                field=f"{variant.path}.keda.extraTriggers",
                remedy="Take them out, or set inFlight: Zero",
            )
        )
    queued = " + ".join(trigger["name"] for trigger in queues)
    if len(queues) > 1:
        queued = f"({queued})"
    length = keda.list_length or LIST_LENGTH
    return {
        "formula": f"{queued}/{length} + inflight/{_slots(variant, deployment)}",
        "target": "1",
        "activationTarget": f"{(keda.activation_list_length or 0) / length:g}",
        "metricType": "AverageValue",
    }


def _slots(variant: Variant, deployment: Resource) -> int:
    """Return how many tasks one pod works on at a time."""
    worker = emitted_in(variant.service, deployment)
    assert worker is not None  # noqa: S101 - it was found to be one before it was split
    autoscale = worker.command_line.option("--autoscale")
    value = autoscale.split(",")[0] if autoscale else worker.command_line.option("--concurrency")
    if value is None or not value.isdigit() or int(value) == 0:
        raise UserError(
            Problem(
                message="inFlight: Slots needs to know how many tasks a pod works on at a time, and Celery would take "
                "the node's number of CPUs",
                field=f"{variant.path}.concurrency",
                remedy="Set concurrency, or inFlight: Zero",
            )
        )
    return int(value)


def _authentication(
    config: CeleryWorkers, service: str, found: Endpoint, worker: Resource
) -> tuple[_Authentication | None, list[Resource]]:
    """Return what triggers refer to for their credentials, and the objects that have to be added for it.

    Their name has no hash: kustomize doesn't rewrite references inside of a TriggerAuthentication.
    """
    given = config.spec.broker.trigger_authentication if config.spec.broker else None
    if given is not None:
        return _Authentication(name=given.name, kind=given.kind), []
    name = f"{service}-worker-broker"
    added = []
    keys = {"password": found.password_key, "username": found.username_key, "ca": found.ca}
    targets = [(parameter, key.secret, key.key) for parameter, key in keys.items() if key is not None]
    if found.password:
        targets.append(("password", name, "password"))
        added.append(_secret(name, {"password": found.password}, owner=worker))
    if found.client_cert:
        targets += [("cert", found.client_cert, "tls.crt"), ("key", found.client_cert, "tls.key")]
    if found.sentinel_password_key is not None:
        targets.append(("sentinelPassword", found.sentinel_password_key.secret, found.sentinel_password_key.key))
    if not targets:
        return None, []
    references = [{"parameter": parameter, "name": secret, "key": key} for parameter, secret, key in targets]
    tree = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": site_metadata(worker, name=name),
        "spec": {"secretTargetRef": references},
    }
    return _Authentication(name=name), [*added, Resource.new(tree, indent=worker.indent)]


def _secret(name: str, values: dict[str, str], *, owner: Resource) -> Resource:
    import binascii  # noqa: PLC0415 - most sites' Redis has no password

    data = {key: binascii.b2a_base64(value.encode(), newline=False).decode() for key, value in values.items()}
    tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": site_metadata(owner, name=name),
        "type": "Opaque",
        "data": data,
    }
    return Resource.new(tree, indent=owner.indent)


def _rivals(resources: Resources, variant: Variant, deployment: Resource) -> tuple[list[Resource], list[Problem]]:
    """Return the HPAs that the ScaledObject takes over, and what to say about it.

    Raises UserError for an autoscaler that would stay beside it: two of them fight over the number of pods.
    """
    keda = variant.settings.keda
    replaces = keda is not None and bool(keda.replace_hpa)
    taken: list[Resource] = []
    problems: list[Problem] = []
    for resource in resources.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        if resource.namespace != deployment.namespace or not resource.mentions(deployment.name):
            continue
        target = lookup(resource.tree, "spec", "scaleTargetRef")
        kind = lookup(target, "kind") or "Deployment"
        own = resource.kind == "ScaledObject" and resource.name == f"{deployment.name}-scaledobject"
        if kind != "Deployment" or lookup(target, "name") != deployment.name or own:
            continue
        if replaces and resource.kind == "HorizontalPodAutoscaler" and not taken:
            taken.append(resource)
            continue
        problems.append(_rival(resource, variant))
    if problems:
        raise UserError(*problems)
    return taken, [_taken_over(hpa, variant) for hpa in taken]


def _taken_before(resources: Resources, variant: Variant, deployment: Resource) -> str:
    """Return the HPA that an earlier run over this output has taken over: it isn't in the input any more."""
    keda = variant.settings.keda
    for present in resources.find("ScaledObject", f"{deployment.name}-scaledobject", deployment.namespace):
        name = lookup(present.tree, "spec", "advanced", "horizontalPodAutoscalerConfig", "name")
        if keda is not None and keda.replace_hpa and name:
            return str(name)
    return ""


def _rival(resource: Resource, variant: Variant) -> Problem:
    remedy = "Take one of the two out (tutor-contrib-pod-autoscaling: enable_hpa: False for this worker)"
    if resource.kind == "HorizontalPodAutoscaler":
        remedy += f", or set {variant.path}.keda.replaceHPA: true to take it over"
    return Problem(
        message=f"scales {variant.deployment}, which {variant.path}.keda would scale, too",
        resource=resource.ref,
        field="spec.scaleTargetRef",
        remedy=remedy,
    )


def _taken_over(hpa: Resource, variant: Variant) -> Problem:
    return Problem(
        message=f"leaves the build: {variant.deployment}-scaledobject takes the live one over and keeps its name",
        severity=WARNING,
        resource=hpa.ref,
        remedy="Nothing is to be deleted; where a GitOps controller prunes it, KEDA makes it again",
    )


def _warnings(variant: Variant) -> list[Problem]:
    keda = variant.settings.keda
    if keda is None or keda.min_replicas or keda.in_flight != "Off":
        return []
    return [
        Problem(
            message="minReplicas 0 with inFlight: Off lets KEDA scale the worker to zero in the middle of a task",
            severity=WARNING,
            field=f"{variant.path}.keda.inFlight",
            remedy="Set inFlight: Zero, or minReplicas: 1",
        )
    ]
