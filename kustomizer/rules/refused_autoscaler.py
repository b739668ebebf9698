"""An autoscaler that KEDA or an API server refuses.

Its worker keeps the pods that it has, or has one for ever. KEDA's webhook refuses a ScaledObject, and where the webhook
doesn't answer KEDA never makes it ready:

- without triggers;
- whose `minReplicaCount` is above its `maxReplicaCount`, which is 100 unless it is stated, or whose `idleReplicaCount`
  isn't below its `minReplicaCount`;
- that may go to zero with triggers on `cpu` and `memory` alone, which nothing would wake;
- whose formula names a trigger that isn't there;
- with a number of pods that is no whole one, or with a trigger's `metadata` that aren't strings.

An API server refuses a HorizontalPodAutoscaler without `maxReplicas`, or whose `minReplicas` is above it.

Either that measures cpu or memory by what pods ask for (`Utilization`) needs each of their containers to ask for it;
Tutor's workers don't. KEDA refuses it, and a HorizontalPodAutoscaler scales nothing.

**Severity:** error; warning for containers that don't ask, since something in the cluster may give them a request.

**What to do:** what the message says, where the autoscaler is made.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import is_null, list_at, lookup, mapping, mappings, number_at, plain_value, text_at
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import pod_template
from kustomizer.site.model import Site, autoscalers

# KEDA's default.
_MOST = 100
_TARGET = ("spec", "targetRef", "name")


def check(site: Site) -> Iterator[Problem]:
    """Find the autoscalers whose numbers don't go together."""
    # A LimitRange, or a VerticalPodAutoscaler of the same target, may give pods their requests.
    given = {
        (resource.namespace, "" if resource.kind == "LimitRange" else text_at(resource.tree, *_TARGET))
        for resource in site.resources.of_kind("LimitRange", "VerticalPodAutoscaler")
    }
    for resource in autoscalers(site):
        is_kedas = resource.kind == "ScaledObject"
        faults = (*_of_keda(resource), *_refused_values(resource)) if is_kedas else _of_kubernetes(resource)
        for field, message, remedy in faults:
            yield resource.problem(message, remedy, field=f"spec.{field}")
        near = {(resource.namespace, name) for name in ("", scale_target(resource)[1])}
        for field, message in () if near & given else _unmeasured(site, resource):
            remedy = "State the request in resources of the worker, or in defaults, or take the metric out"
            yield resource.problem(message, remedy, field=f"spec.{field}", severity=WARNING)


def _unmeasured(site: Site, scaler: Resource) -> Iterator[tuple[str, str]]:
    """Yield what is measured by the requests of containers that have none."""
    kind, name = scale_target(scaler)
    for workload in site.resources.find(kind, name, scaler.namespace):
        for field, measured, only in _measured(scaler):
            missing = [
                str(lookup(container, "name"))
                for container in list_at(pod_template(workload), "spec", "containers")
                if only in ("", lookup(container, "name"))
                and not any(text_at(container, "resources", section, measured) for section in ("requests", "limits"))
            ]
            if missing and lookup(pod_template(workload), "spec", "resources") is None:
                message = f"measures {measured} by the request, and {', '.join(missing)} of {kind} {name} has none"
                yield field, f"{message}: it scales nothing"


def _measured(scaler: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield each field that measures by requests, the resource, and the container that alone is meant."""
    spec = lookup(scaler.tree, "spec")
    for index, trigger in enumerate(mappings(lookup(spec, "triggers"))):
        metadata = mapping(trigger.get("metadata"))
        by = trigger.get("metricType") or metadata.get("type")
        if trigger.get("type") in ("cpu", "memory") and by == "Utilization":
            yield f"triggers[{index}]", str(trigger["type"]), str(metadata.get("containerName") or "")
    for index, metric in enumerate(mappings(lookup(spec, "metrics"))):
        source = mapping(metric.get("resource") or metric.get("containerResource"))
        if mapping(source.get("target")).get("type") == "Utilization":
            yield f"metrics[{index}]", str(source.get("name")), str(source.get("container") or "")
    if number_at(spec, "targetCPUUtilizationPercentage"):
        yield "targetCPUUtilizationPercentage", "cpu", ""


def _of_keda(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield what KEDA refuses (CheckReplicaCountBoundsAreValid, ValidateTriggers, verifyCPUMemoryScalers in 2.21.0)."""
    spec = lookup(resource.tree, "spec")
    triggers = mappings(lookup(spec, "triggers"))
    if not triggers:
        yield "triggers", "are none: KEDA refuses it, and scales nothing", "Name what it is to count"
    stated, maximum, idle = (
        number_at(spec, field) for field in ("minReplicaCount", "maxReplicaCount", "idleReplicaCount")
    )
    # KEDA takes a 0 that is stated for the least that its HPA can have.
    least = 0 if stated is None else max(stated, 1)
    most = _MOST if maximum is None else maximum
    if least > most:
        message = f"{most} is less than minReplicaCount, {least}: KEDA refuses it, and scales nothing"
        yield "maxReplicaCount", message, "Raise it, or lower minReplicaCount"
    if idle is not None and idle >= least:
        message = f"{idle} isn't less than minReplicaCount, {least}: KEDA refuses it, and scales nothing"
        yield "idleReplicaCount", message, "Leave it out, or raise minReplicaCount"
    if triggers and not stated and all(trigger.get("type") in ("cpu", "memory") for trigger in triggers):
        message = "is 0, and triggers on cpu and memory can't wake what has no pods: KEDA refuses it"
        yield "minReplicaCount", message, "Set it to 1, or add a trigger on the queue"


_NUMBERS = ("minReplicaCount", "maxReplicaCount", "idleReplicaCount")
# What stands between the names in a formula of plain arithmetic; expr-lang, which KEDA uses, has more.
_ARITHMETIC = frozenset(string.ascii_letters + string.digits + string.whitespace + "_.+-*/(),<>=!?:&|")
_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?!\w*\s*\()")
_WORDS = frozenset({"and", "false", "in", "nil", "not", "or", "true"})


def _refused_values(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield what has a wrong type, and names in a formula that no trigger has (expr.Env in KEDA 2.21.0)."""
    spec = lookup(resource.tree, "spec")
    for field in _NUMBERS:
        value = plain_value(lookup(spec, field))
        if isinstance(value, float) and not value.is_integer():
            yield field, f"{value} is no whole number: an API server refuses it", "Write a whole number"
    triggers = mappings(lookup(spec, "triggers"))
    for index, trigger in enumerate(triggers):
        for name, value in mapping(plain_value(trigger.get("metadata"))).items():
            if not isinstance(value, (str, type(None))):
                field = f"triggers[{index}].metadata.{name}"
                yield field, f"{value} isn't a string: an API server refuses it", "Put it in quotes"
    formula = text_at(spec, "advanced", "scalingModifiers", "formula")
    if formula and _ARITHMETIC.issuperset(formula):
        known = {str(trigger.get("name")) for trigger in triggers} | _WORDS
        unknown = next((name for name in _NAME.findall(formula) if name not in known), "")
        if unknown:
            message = f"names {unknown}, and no trigger is called so: KEDA refuses it, and scales nothing"
            yield "advanced.scalingModifiers.formula", message, f"Give a trigger the name {unknown}, or take it out"


def _of_kubernetes(resource: Resource) -> Iterator[tuple[str, str, str]]:
    spec = lookup(resource.tree, "spec")
    least, most = (number_at(spec, field) for field in ("minReplicas", "maxReplicas"))
    if is_null(lookup(spec, "maxReplicas")):
        yield "maxReplicas", "is missing: an API server refuses it", "State the greatest number of pods"
    elif most is not None and most < max(1, least or 0):
        message = f"{most} is less than minReplicas, {least}" if most > 0 else f"is {most}"
        yield "maxReplicas", f"{message}: an API server refuses it", "Raise it, or take the autoscaler out"
