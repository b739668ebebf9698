"""A LimitRange or a ResourceQuota of the build that refuses pods of a worker.

Neither refuses a Deployment: `kubectl apply` says nothing, and the worker has fewer pods than it should have, or none.

A LimitRange gives each container the requests and limits that it doesn't state, and refuses a pod

- with a request or limit above `max` or below `min`, or whose limit is more than `maxLimitRequestRatio` times its
  request;
- with a request above the limit that the LimitRange itself has given (`default`, or `max` where that is missing).

A quota on cpu or memory refuses a pod with a container that doesn't state them; Tutor's workers state nothing. After a
split there are more workers, and with KEDA more pods of each: at their most, the pods of the build may need more than a
quota takes, and the last ones aren't made.

**Severity:** error for pods that are always refused; warning where the most pods are more than a quota takes; info for
a limit that a LimitRange gives a worker.

**What to do:** state requests and limits in `resources` of the worker, or in `defaults`; lower `maxReplicas`, or raise
the quota.

**What isn't seen:** a LimitRange or quota that isn't in the build, a quota with scopes, and pods with resources of
their own (`spec.resources` of the pod).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.amounts import amount
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.openedx.workers import pod_field, pod_template, running, starting
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.site.queues import scalers_by_target, scaling_of

_SECTIONS = ("requests", "limits")
# A quota on them refuses a container that doesn't state them (podEvaluator.Constraints in pkg/quota of Kubernetes).
_STATED = frozenset({"cpu", "memory"})
_PODS = frozenset({"pods", "count/pods"})
_LONGEST = 3
_SAME = 1e-9
_MI = 1024.0**2
_REMEDY = "State fitting requests and limits in the worker's resources, or change the other"


class _Asked(Record):
    """What a container asks for, with what LimitRanges give it."""

    field: str
    is_sidecar: bool
    """Whether it runs as long as the pod does."""
    requests: Mapping[str, Any]
    limits: Mapping[str, Any]
    given: Mapping[str, Any]
    """The limits that are a LimitRange's."""


def check(site: Site) -> Iterator[Problem]:
    """Find what LimitRanges and quotas of the build refuse to the pods of workers."""
    workers = list(dict.fromkeys(worker.resource for worker in site.workers))
    for namespace in dict.fromkeys(worker.namespace for worker in workers):
        ranges = [item for item in site.resources.of_kind("LimitRange") if item.namespace == namespace]
        quotas = [item for item in site.resources.of_kind("ResourceQuota") if item.namespace == namespace]
        for worker in workers if ranges or quotas else ():
            if worker.namespace == namespace:
                asked = _asked(worker, ranges)
                faults = (*_of_ranges(ranges, asked), *_of_quotas(quotas, asked))
                for severity, field, message, remedy in faults:
                    yield worker.problem(message, remedy, field=field, severity=severity)
        for quota in quotas:
            yield from _beyond(site, quota, ranges, workers)


def _limits(item: Resource, kind: str) -> list[dict[str, Any]]:
    return [limit for limit in mappings(lookup(item.tree, "spec", "limits")) if limit.get("type") == kind]


def _asked(workload: Resource, ranges: Sequence[Resource]) -> list[_Asked]:
    template = pod_template(workload)
    if lookup(template, "spec", "resources"):
        return []
    limits = [limit for item in ranges for limit in _limits(item, "Container")]
    places = ((True, running(template)), (False, starting(template)))
    return [
        _container(f"{pod_field(workload)}.{listed}[{index}].resources", is_sidecar, container, limits)
        for is_sidecar, found in places
        for (listed, index), container in found
    ]


def _container(field: str, is_sidecar: bool, container: Any, ranges: Sequence[Mapping[str, Any]]) -> _Asked:
    stated = mapping(lookup(container, "resources"))
    requests, limits = (mapping(stated.get(section)) for section in _SECTIONS)
    # A request that isn't stated is the limit, before any LimitRange is asked (SetDefaults_Pod).
    requests = {**limits, **requests}
    given: dict[str, Any] = {}
    for item in ranges:
        # As SetDefaults_LimitRangeItem fills in what a LimitRange leaves out.
        default = {**mapping(item.get("max")), **mapping(item.get("default"))}
        least = {**mapping(item.get("min")), **default, **mapping(item.get("defaultRequest"))}
        given = {**{name: value for name, value in default.items() if name not in limits}, **given}
        requests = {**least, **requests}
    return _Asked(field=field, is_sidecar=is_sidecar, requests=requests, limits={**given, **limits}, given=given)


def _of_ranges(ranges: Sequence[Resource], asked: Sequence[_Asked]) -> Iterator[tuple[str, str, str, str]]:
    for item in ranges:
        for limit in _limits(item, "Container"):
            for container in asked:
                for message in _beyond_limit(limit, container.requests, container.limits):
                    yield ERROR, container.field, f"{message} in {item.ref}: its pods are refused", _REMEDY
        for limit in _limits(item, "Pod") if asked else ():
            requests, limits = (_sums(asked, section) for section in _SECTIONS)
            for message in _beyond_limit(limit, requests, limits):
                yield ERROR, "", f"the pod's {message} in {item.ref}: its pods are refused", _REMEDY
    for container in asked:
        for name, value in container.given.items():
            number, most = amount(container.requests.get(name)), amount(value)
            if number is not None and most is not None and number > most:
                message = f"requests.{name}, {container.requests[name]}, is above the limit of {value}"
                yield ERROR, container.field, f"{message} that {ranges[0].ref} gives it: its pods are refused", _REMEDY
        named = " and ".join(f"limits.{name} of {value}" for name, value in sorted(container.given.items()))
        if named:
            yield INFO, container.field, f"gets {named} from {ranges[0].ref}", "State the limits that it needs"


def _beyond_limit(limit: Mapping[str, Any], requests: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a container or pod doesn't fit one item of a LimitRange (pkg/.../plugin/limitranger/admission.go)."""
    asked = {"limits": limits, "requests": requests}
    for bound, word, sign, sections in (("max", "above", 1, _SECTIONS[::-1]), ("min", "below", -1, _SECTIONS)):
        for name, value in mapping(limit.get(bound)).items():
            edge = amount(value)
            numbers = [(section, amount(asked[section].get(name))) for section in sections]
            beyond = [
                section
                for section, number in numbers
                if number is not None and edge is not None and sign * (number - edge) > edge * _SAME
            ]
            if name not in asked[sections[0]]:
                yield f"{sections[0]}.{name} is missing beside the {bound} of {value}"
            elif beyond:
                yield f"{beyond[0]}.{name}, {asked[beyond[0]][name]}, is {word} the {bound} of {value}"
    for name, value in mapping(limit.get("maxLimitRequestRatio")).items():
        ratio, least, most = amount(value), amount(requests.get(name)), amount(limits.get(name))
        if not least or not most:
            yield f"{name} has no request and limit beside the maxLimitRequestRatio of {value}"
        elif ratio is not None and most / least > ratio * (1 + _SAME):
            yield (
                f"limits.{name}, {limits[name]}, is more than {value} times the request of {requests[name]} "
                "(maxLimitRequestRatio)"
            )


def _sums(asked: Sequence[_Asked], section: str) -> dict[str, Any]:
    """Return what a pod asks for: all containers that run as long as it does, or the init container with the most."""
    sums: dict[str, float] = {}
    for container in sorted(asked, key=lambda item: not item.is_sidecar):
        for name, value in getattr(container, section).items():
            number = amount(value) or 0.0
            sums[name] = sums.get(name, 0.0) + number if container.is_sidecar else max(sums.get(name, 0.0), number)
    return {name: _written(name, value) for name, value in sums.items()}


def _written(name: str, value: float) -> str:
    if name.endswith(("memory", "storage")) and value >= _MI:
        return f"{value / _MI:.0f}Mi"
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _of_quotas(quotas: Sequence[Resource], asked: Sequence[_Asked]) -> Iterator[tuple[str, str, str, str]]:
    for quota in quotas:
        for key in sorted(_hard(quota)):
            section, name = _quoted(key)
            for container in asked if name in _STATED else ():
                if name not in getattr(container, section):
                    message = f"{section}.{name} is missing, and {quota.ref} refuses pods without ({key})"
                    yield ERROR, container.field, message, _REMEDY


def _hard(quota: Resource) -> dict[str, Any]:
    """Return the bounds of a quota, none where it holds for some pods alone."""
    spec = mapping(lookup(quota.tree, "spec"))
    scopes = spec.get("scopes") or []
    is_for_all = isinstance(scopes, list) and all(scope == "NotTerminating" for scope in scopes)
    return mapping(spec.get("hard")) if is_for_all and not spec.get("scopeSelector") else {}


def _quoted(key: str) -> tuple[str, str]:
    """Return the section and the name of the resource that a quota's key is about."""
    section, _, name = key.partition(".")
    return (section, name) if section in _SECTIONS else ("requests", key)


def _beyond(site: Site, quota: Resource, ranges: Sequence[Resource], workers: Sequence[Resource]) -> Iterator[Problem]:
    scalers = scalers_by_target(site)
    pods: list[tuple[Resource, int, list[_Asked]]] = []
    for workload in dict.fromkeys([*site.resources.of_kind("Deployment", "StatefulSet"), *workers]):
        if workload.namespace == quota.namespace and pod_template(workload):
            scaler = scalers.get((workload.namespace, workload.kind, workload.name))
            pods.append((workload, scaling_of(workload, scaler).maximum, _asked(workload, ranges)))
    for key, value in sorted(_hard(quota).items()):
        section, name = _quoted(key)
        if key in _PODS:
            each = [(workload, float(number), number) for workload, number, _ in pods]
        else:
            each = [
                (workload, (amount(_sums(asked, section).get(name)) or 0.0) * number, number)
                for workload, number, asked in pods
            ]
        total, most = sum(share for _, share, _ in each), amount(value)
        if most is None or total <= most * (1 + _SAME):
            continue
        ranked = sorted((item for item in each if item[0] in workers), key=lambda item: -item[1])
        named = ", ".join(f"{workload.name} ({number} pods)" for workload, _, number in ranked[:_LONGEST])
        message = f"at their most, the pods of this build need {_written(name, total)} of {key}, and it takes {value}: "
        message += f"the last ones aren't made. Workers with the most: {named}"
        remedy = "Raise it, or lower maxReplicas or the requests of workers"
        yield quota.problem(message, remedy, field=f'spec.hard["{key}"]', severity=WARNING)
