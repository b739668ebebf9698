"""Compares the cluster's ScaledObjects with the build, and KEDA's counts with Redis's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.verify import Difference, Verified
from kustomizer.errors import UserError
from kustomizer.manifests.amounts import amount
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import list_at, lookup, mapping, mappings
from kustomizer.openedx.stopped import is_paused
from kustomizer.openedx.targeting import scale_target
from kustomizer.record import Record
from kustomizer.site.counted_lists import counted_lists, list_name
from kustomizer.site.model import Site, SiteWorker
from kustomizer.system.visible import visible

_METRICS = "/apis/external.metrics.k8s.io/v1beta1/namespaces"
# They are read seconds apart, and tasks come and go.
_ROUGHLY = 10


class Count(Record):
    """The count of one trigger; None where it isn't known, or isn't of a list in Redis."""

    trigger: str
    list: str
    keda: float | None = None
    redis: int | None = None


class Scaled(Record):
    """The result for one ScaledObject; an empty field isn't known."""

    name: str
    worker: str
    ready: str = ""
    active: str = ""
    counts: Sequence[Count] = ()
    differences: Sequence[Difference] = ()


class Cluster(Record):
    """The cluster's ScaledObjects by name, and the names of its HorizontalPodAutoscalers."""

    scaled_objects: Mapping[str, Mapping[str, Any]]
    autoscalers: frozenset[str]


def scaled_objects(site: Site, workers: Sequence[SiteWorker]) -> list[Resource]:
    """Return the build's ScaledObjects of these workers."""
    names = {(worker.resource.kind, worker.resource.name, worker.resource.namespace) for worker in workers}
    resources = site.resources.of_kind("ScaledObject")
    return [item for item in resources if (*scale_target(item), item.namespace) in names]


def redis_lists(scaled_objects: Sequence[Resource]) -> list[str]:
    """Return the names of the lists and hashes that they count, with a key prefix where there is one."""
    return sorted({name for item in scaled_objects for name in counted_lists(item)})


def cluster(kubectl: Kubectl) -> Cluster:
    """Ask for the namespace's ScaledObjects and HorizontalPodAutoscalers. Raises UserError where that is refused."""
    objects = mappings(mapping(kubectl.get("scaledobjects.keda.sh")).get("items"))
    hpas = mappings(mapping(kubectl.get("horizontalpodautoscalers")).get("items"))
    return Cluster(
        scaled_objects={str(lookup(item, "metadata", "name")): item for item in objects},
        autoscalers=frozenset(str(lookup(item, "metadata", "name")) for item in hpas),
    )


def scaled(
    configured: Resource, live: Cluster, kubectl: Kubectl, counts: Mapping[str, int], worker: Verified | None
) -> Scaled:
    """Return the result for one ScaledObject; ``counts`` are Redis's, ``worker`` is the result for its worker."""
    name, target = configured.name, scale_target(configured)[1]
    live_object = live.scaled_objects.get(name)
    if live_object is None:
        missing = Difference(what="in the cluster", configured="a ScaledObject", in_force="none of that name")
        return Scaled(name=name, worker=target, differences=(missing,))
    conditions = {
        str(condition.get("type")): condition
        for condition in mappings(lookup(live_object, "status", "conditions"))
        if condition.get("status")
    }
    metrics, problems = _metrics(live_object, kubectl)
    triggers = mappings(lookup(configured.tree, "spec", "triggers"))
    counted = []
    for number, trigger in enumerate(triggers):
        key = list_name(trigger)
        label = str(trigger.get("name") or number)
        counted.append(Count(trigger=label, list=key, keda=metrics.get(number), redis=counts.get(key)))
    return Scaled(
        name=name,
        worker=target,
        ready=_status(conditions, "Ready"),
        active=_status(conditions, "Active"),
        counts=counted,
        differences=[
            *_conditions(conditions, paused=is_paused(configured)),
            *_specification(configured, live_object),
            *_autoscaler(live_object, conditions, live),
            *problems,
            *_apart(counted),
            *(_counted(triggers, worker.in_force) if worker and worker.in_force else ()),
        ],
    )


def _status(conditions: Mapping[str, Mapping[str, Any]], kind: str) -> str:
    return str(mapping(conditions.get(kind)).get("status", ""))


def _conditions(conditions: Mapping[str, Mapping[str, Any]], *, paused: bool) -> Iterator[Difference]:
    for kind, wanted in (("Ready", "True"), ("Fallback", "False"), ("Paused", str(paused))):
        status = _status(conditions, kind)
        # A condition that isn't there isn't the case.
        bad = status != wanted if wanted == "True" else status == "True"
        if bad:
            message = str(mapping(conditions.get(kind)).get("message") or "")
            in_force = f"{status or 'not known'}: {message}" if message else status or "not known"
            yield Difference(what=f"condition {kind}", configured=wanted, in_force=in_force)


def _specification(configured: Resource, live_object: Mapping[str, Any]) -> Iterator[Difference]:
    spec_of_build, live_spec = (mapping(lookup(tree, "spec")) for tree in (configured.tree, dict(live_object)))
    remedy = "Apply the build, or see what changes it"
    for field in ("minReplicaCount", "maxReplicaCount"):
        if spec_of_build.get(field) != live_spec.get(field):
            shown = (str(spec_of_build.get(field)), str(live_spec.get(field)))
            yield Difference(what=field, configured=shown[0], in_force=shown[1], remedy=remedy)
    triggers, live_triggers = (mappings(spec.get("triggers")) for spec in (spec_of_build, live_spec))
    # The API server may have added to each.
    same = len(triggers) == len(live_triggers) and all(
        trigger.items() <= live_trigger.items() for trigger, live_trigger in zip(triggers, live_triggers, strict=True)
    )
    if not same:
        yield Difference(what="triggers", configured="those of the build", in_force="others", remedy=remedy)


def _autoscaler(
    live_object: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]], live: Cluster
) -> Iterator[Difference]:
    name = str(lookup(live_object, "status", "hpaName") or "")
    if name not in live.autoscalers and _status(conditions, "Paused") != "True":
        in_force = "there is none of that name" if name else "KEDA names none"
        yield Difference(what="HorizontalPodAutoscaler", configured=name or "one of KEDA's", in_force=in_force)


def _metrics(live_object: Mapping[str, Any], kubectl: Kubectl) -> tuple[dict[int, float], list[Difference]]:
    """Return KEDA's counts by the number of the trigger, which begins the name of its metric: s0-redis-…"""
    values: dict[int, float] = {}
    problems = []
    name, namespace = (str(lookup(live_object, "metadata", field)) for field in ("name", "namespace"))
    selector = quote(f"scaledobject.keda.sh/name={name}", safe="")
    for metric in list_at(live_object, "status", "externalMetricNames"):
        try:
            answer = kubectl.get_raw(f"{_METRICS}/{namespace}/{quote(str(metric), safe='')}?labelSelector={selector}")
        except UserError as error:
            problems.append(Difference(what=f"metric {metric}", configured="KEDA tells it", in_force=str(error)))
            continue
        number = re.match(r"s(\d+)-", str(metric))
        if number is not None:
            items = mappings(mapping(answer).get("items"))
            values[int(number[1])] = sum(amount(item.get("value")) or 0.0 for item in items)
    return values, problems


def _apart(counts: Sequence[Count]) -> Iterator[Difference]:
    for count in counts:
        if count.keda is None or count.redis is None:
            continue
        if abs(count.keda - count.redis) > max(_ROUGHLY, max(count.keda, count.redis) / 2):
            yield Difference(
                what=f"count of {count.list}",
                configured=f"Redis has {count.redis}",
                in_force=f"KEDA counts {count.keda:g}",
                remedy="They are read seconds apart; if they stay apart, KEDA looks at another Redis or database",
            )


def _counted(triggers: Sequence[Mapping[str, Any]], in_force: Mapping[str, Any]) -> Iterator[Difference]:
    """Find queues, keys and databases that the worker uses and KEDA doesn't count."""
    redis = [trigger for trigger in triggers if list_name(trigger)]
    unacked = f"{in_force['prefix']}{in_force['keys'][0]}"
    consumed = set(in_force["lists"])
    counted = {list_name(trigger) for trigger in redis if trigger.get("name") != "inflight"}
    for name in sorted(consumed - counted) if counted else ():
        yield Difference(
            what="counted queues",
            configured=visible(", ".join(sorted(counted))),
            in_force=f"it consumes {visible(name)}, too",
        )
    for trigger in redis:
        if trigger.get("name") == "inflight" and list_name(trigger) != unacked:
            yield Difference(what="counted in flight", configured=list_name(trigger), in_force=unacked)
    databases = {str(mapping(trigger.get("metadata")).get("databaseIndex", "0")) for trigger in redis}
    if databases and in_force["database"] is not None and databases != {str(in_force["database"])}:
        configured = ", ".join(sorted(databases))
        yield Difference(what="database", configured=configured, in_force=f"the worker uses {in_force['database']}")
