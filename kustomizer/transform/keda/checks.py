"""Conflicts that prevent a ScaledObject: other autoscalers in the build, and what KEDA or its webhook would refuse.

The webhook's rules are those of KEDA 2.15.1 and 2.21.0 (apis/keda/v1alpha1/scaledobject_webhook.go). Clusters ignore a
webhook that doesn't answer: then an object that it would refuse is accepted, and scales nothing.
"""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import Keda
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.openedx.targeting import scale_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.transform.model import Variant

# These are the HPA's own metrics, not KEDA's: they count beside a formula.
_OF_CRON = ("timezone", "start", "end", "desiredReplicas")
_CRON = f"State {', '.join(_OF_CRON)}"
_RESOURCE_TRIGGERS = frozenset({"cpu", "memory"})


def check_rivals(autoscalers: Sequence[Resource], variant: Variant, *, own: str) -> Resource | None:
    """Return the HorizontalPodAutoscaler that the ScaledObject named ``own`` takes over, where there is one.

    ``autoscalers`` are those that target the worker. Raises UserError for any that would stay beside the ScaledObject:
    two of them fight over the number of pods.
    """
    keda = variant.settings.keda
    hpas = [autoscaler for autoscaler in autoscalers if autoscaler.kind == "HorizontalPodAutoscaler"]
    replaced = keda.replace_hpa if keda is not None else None
    replaced_hpa = next((hpa for hpa in hpas if replaced and replaced in (True, hpa.name)), None)
    rivals = [rival for rival in autoscalers if rival is not replaced_hpa and (rival in hpas or rival.name != own)]
    if rivals:
        raise UserError(*(_rival(rival, variant, replaced_hpa) for rival in rivals))
    return replaced_hpa


def _rival(resource: Resource, variant: Variant, taken: Resource | None) -> Problem:
    off = f"set {variant.path}.keda.enabled: false"
    variables = f"K8S_{variant.service.upper()}_WORKER"
    if resource.kind != "HorizontalPodAutoscaler":
        remedy = f"Take it out of the build (tutor-contrib-k8s: {variables}_KEDA_ENABLE: false), or {off}"
    elif taken is not None:
        remedy = f"Take it out of the build: {variant.path}.keda.replaceHPA takes {taken.name} over, and takes only one"
    else:
        remedy = f"Set {variant.path}.keda.replaceHPA: true to take it over, or take it out of the build "
        remedy += f"(tutor-contrib-pod-autoscaling: enable_hpa: False for {variant.service}-worker; tutor-contrib-k8s: "
        remedy += f"{variables}_HPA_ENABLE: false), or {off}"
    message = f"scales {variant.deployment}, which {variant.path}.keda would scale, too"
    return resource.problem(message, remedy, field="spec.scaleTargetRef")


def check_named_hpa(resources: Resources, config: CeleryWorkers, variant: Variant, namespace: str) -> None:
    """Raise UserError where the HPA that ``replaceHPA`` names is in the build, and scales something else."""
    keda = variant.settings.keda
    name = keda.replace_hpa if keda is not None else None
    for hpa in resources.find("HorizontalPodAutoscaler", name, namespace) if isinstance(name, str) else ():
        kind, scaled = scale_target(hpa)
        if (kind, scaled) != ("Deployment", variant.deployment):
            message = f"{hpa.ref} scales {kind} {scaled}, not {variant.deployment}: KEDA would take it away from that"
            remedy = f"Name the one that scales {variant.deployment}, or leave it out where there is none"
            field = config.origin(variant.service, variant.name, "keda", "replaceHPA")
            raise UserError(config.problem(message, remedy, field=field))


def other_scaled_object(present: Resource, variant: Variant) -> Problem:
    """Return the error that the build has a different ScaledObject of the name that ours would have."""
    message = f"scales {variant.deployment}, and it isn't the ScaledObject that {variant.path}.keda asks for"
    remedy = "Turn off the plugin that emits it (tutor-contrib-celery: enable_keda: False, or "
    remedy += f"`tutor plugins disable celery`), or set {variant.path}.keda.enabled: false"
    return present.problem(message, remedy, field="metadata.name")


def taken_over(hpa: Resource, variant: Variant) -> Problem:
    """Return the warning that the ScaledObject takes an HPA over."""
    message = f"leaves the build: {variant.deployment}-scaledobject takes over the live one and keeps its name"
    remedy = "There is nothing to delete in the cluster; if a GitOps controller prunes it, KEDA makes it again"
    return hpa.problem(message, remedy, severity=WARNING)


def check_triggers(
    config: CeleryWorkers, variant: Variant, ours: Iterable[dict[str, Any]], *, has_formula: bool
) -> None:
    """Raise UserError for the operator's own triggers and fallback where KEDA would refuse or ignore them.

    ``has_formula`` says that a formula takes the place of all other triggers.
    """
    keda = variant.settings.keda or Keda()
    problems = []

    def refuse(key: str, at: str, message: str, remedy: str) -> None:
        field = config.origin(variant.service, variant.name, "keda", key) + at
        problems.append(config.problem(message, remedy, field=field))

    of_slots = "with inFlight: Slots KEDA heeds its formula" if keda.in_flight == "Slots" else ""
    formula = "a formula adds up the lists of priorities, and KEDA heeds that" if has_formula else of_slots
    names = {str(trigger["name"]) for trigger in ours}
    for index, trigger in enumerate(keda.extra_triggers or ()):
        at = f"[{index}]"
        kind, name, metadata = trigger.get("type"), trigger.get("name"), trigger.get("metadata")
        if not isinstance(kind, str) or not kind:
            refuse("extraTriggers", f"{at}.type", "is missing", "Name one of KEDA's scalers, such as cron")
        if not isinstance(metadata, dict):
            refuse("extraTriggers", f"{at}.metadata", "is missing", "Say what the scaler needs")
        else:
            others = [key for key, value in metadata.items() if not isinstance(value, str)]
            odd = [(f".{key}", "isn't a string", "Put it in quotes") for key in others]
            fault = _fault_of_cron(metadata) if kind == "cron" else ""
            odd += [("", f"{fault}: KEDA would scale nothing of this worker", _CRON)] if fault else []
            for key, message, remedy in odd:
                refuse("extraTriggers", f"{at}.metadata{key}", message, remedy)
        if name in names:
            message = f"{name} is another trigger's name, too"
            refuse("extraTriggers", f"{at}.name", message, "Give each trigger a name of its own")
        if isinstance(name, str) and name:
            names.add(name)
        if formula and kind not in _RESOURCE_TRIGGERS:
            remedy = "Take it out" if has_formula else "Take it out, or set inFlight: Zero"
            refuse("extraTriggers", at, f"is ignored: {formula} and triggers on cpu and memory alone", remedy)
    for key in ("failureThreshold", "replicas"):
        value = (keda.fallback or {key: 0}).get(key)
        if type(value) is not int or value < 0:
            remedy = "Set it: KEDA refuses a fallback without it"
            refuse("fallback", f".{key}", "isn't a whole number, 0 or more", remedy)
    if problems:
        raise UserError(*problems)


def _fault_of_cron(metadata: dict[str, Any]) -> str:
    """Return why KEDA can't make a scaler of it, and none of those beside it (cron_scaler.go, scalers_builder.go)."""
    missing = next((key for key in _OF_CRON if not metadata.get(key)), "")
    if missing:
        return f"has no {missing}"
    return "ends when it starts" if metadata["start"] == metadata["end"] else ""


def warnings(config: CeleryWorkers, variant: Variant, slots: int | None) -> list[Problem]:
    """Return warnings about valid but probably unintended settings; a pod works on ``slots`` tasks at a time."""
    keda = variant.settings.keda or Keda()
    problems = []

    def warn(key: str, message: str, remedy: str) -> None:
        field = config.origin(variant.service, variant.name, "keda", key)
        problems.append(config.problem(message, remedy, field=field, severity=WARNING))

    has_idle = keda.idle_replicas is not None
    if not (keda.idle_replicas if has_idle else keda.min_replicas) and keda.in_flight == "Off":
        message = f"{'idle' if has_idle else 'min'}Replicas 0 with inFlight: Off lets KEDA scale {variant.deployment} "
        message += "to zero in the middle of a task"
        in_flight = "inFlight: Zero, or " if variant.service in OPEN_EDX_SERVICES else ""
        without_idle = "idleReplicas: null and " if has_idle else ""
        warn("inFlight", message, f"Set {in_flight}{without_idle}minReplicas: 1")
    if keda.list_length is not None and slots is not None and keda.list_length < slots:
        message = f"{keda.list_length} is less than the {slots} tasks that a pod of {variant.deployment} works on at a "
        message += "time: KEDA starts pods that find nothing to do"
        warn("listLength", message, f"Set listLength: {slots} or more, or a smaller concurrency")
    refused = [trigger for trigger in keda.extra_triggers or () if trigger.get("metricType") != "AverageValue"]
    if keda.fallback and refused:
        message = "KEDA 2.15 refuses a fallback with a trigger whose metricType isn't AverageValue, or one on cpu or "
        message += "memory; 2.20 accepts it"
        warn("fallback", message, "Leave one of the two out unless your KEDA accepts both")
    return problems
