"""A NetworkPolicy that doesn't let KEDA in to the Redis that it counts in.

KEDA asks Redis itself, from its own namespace. Where policies of the build select Redis' pods, and none of them lets
anybody of another namespace in, KEDA gets no answer: a ScaledObject isn't ready, and its worker keeps the pods that it
has, which may be none.

**Severity:** warning: not every network of a cluster heeds policies.

**What to do:** let KEDA in, with `namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: keda}}` in one of the
policy's `from`, or give the configuration no `keda`.

**What isn't seen:** policies of another kind (Cilium's, Calico's), ports, and a Redis outside of the build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import is_null, list_at, lookup, mapping, mappings, plain_value, text_at
from kustomizer.openedx.endpoint import one_name
from kustomizer.openedx.selectors import pod_labels, selects
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the policies around what ScaledObjects count in, where none of them lets another namespace in."""
    cut_off: dict[Resource, list[str]] = {}
    # Most sites have one Redis, and as many ScaledObjects as queues.
    around: dict[tuple[str, str], Sequence[Resource]] = {}
    for scaler in site.resources.of_kind("ScaledObject"):
        triggers = mappings(lookup(scaler.tree, "spec", "triggers"))
        for place in sorted({_server(trigger, scaler.namespace) for trigger in triggers}):
            policies = around[place] if place in around else around.setdefault(place, _policies(site, *place))
            if policies and not any(map(_lets_in, policies)):
                cut_off.setdefault(policies[0], []).append(scaler.name)
    for policy, scalers in cut_off.items():
        message = f"lets nobody of another namespace in, KEDA neither, which counts there for {', '.join(scalers)}: "
        remedy = "Let KEDA in: from namespaceSelector {matchLabels: {kubernetes.io/metadata.name: keda}}, say"
        yield policy.problem(f"{message}it scales nothing", remedy, field="spec.ingress", severity=WARNING)


def _server(trigger: dict[str, Any], namespace: str) -> tuple[str, str]:
    """Return the name and the namespace of the Service that a trigger on Redis asks."""
    address = str(mapping(trigger.get("metadata")).get("address") or "")
    is_redis = str(trigger.get("type", "")).startswith("redis")
    name, _, of_namespace = one_name(address.rpartition(":")[0], namespace).partition(".") if is_redis else ("", "", "")
    return name, of_namespace


def _policies(site: Site, name: str, namespace: str) -> Sequence[Resource]:
    """Return the policies that say who may come in to the pods of a Service."""
    labels = [
        pod_labels(workload)
        for service in site.resources.find("Service", name, namespace)
        for workload in site.resources.of_kind("Deployment", "StatefulSet")
        if workload.namespace == namespace
        and selects({"matchLabels": lookup(service.tree, "spec", "selector") or {None: None}}, pod_labels(workload))
    ]
    return [
        policy
        for policy in site.resources.of_kind("NetworkPolicy")
        if policy.namespace == namespace and policy.identity[0] == "networking.k8s.io" and _is_about(policy, labels)
    ]


def _is_about(policy: Resource, pods: Sequence[dict[str, str]]) -> bool:
    types = plain_value(lookup(policy.tree, "spec", "policyTypes"))
    selector = lookup(policy.tree, "spec", "podSelector")
    is_ingress = not isinstance(types, list) or "Ingress" in types
    return is_ingress and any(selects({} if is_null(selector) else selector, labels) for labels in pods)


def _lets_in(policy: Resource) -> bool:
    """Tell whether a policy lets anybody of another namespace in."""
    for rule in list_at(policy.tree, "spec", "ingress"):
        peers = list_at(rule, "from")
        if not peers or any(_is_elsewhere(peer, policy.namespace) for peer in peers):
            return True
    return False


def _is_elsewhere(peer: Any, namespace: str) -> bool:
    chosen = lookup(peer, "namespaceSelector")
    is_own = text_at(chosen, "matchLabels", "kubernetes.io/metadata.name") == namespace
    return not is_null(lookup(peer, "ipBlock")) or (not is_null(chosen) and not is_own)
