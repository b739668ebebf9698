"""A Redis address in a ScaledObject that isn't where the worker's Redis is.

KEDA asks Redis from its own namespace, so the address needs the namespace of the site (`redis.openedx:6379`). An
address without one finds nothing, or another site's Redis; and when an outer kustomization moves the site
(`namespace:`), the address keeps the old one, since kustomize doesn't know that a namespace stands in it. The scaler
then counts another site's queues, or the ScaledObject isn't ready and its worker keeps the pods that it has.

**Severity:** error.

**What to do:** set the namespace below the function, where Tutor does (`K8S_NAMESPACE`), or name the address in
`spec.broker.address`. A ScaledObject that is somebody else's has its address from there: for tutor-contrib-k8s it is
Tutor's `REDIS_HOST`, and `redis.openedx` is right for Open edX, too.

**What isn't seen:** whether an address outside of the cluster is the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kustomizer.errors import ERROR, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.site.counted_lists import is_ours
from kustomizer.site.model import Site

_KEYS = ("address", "addresses", "host", "hosts")


def check(site: Site) -> Iterator[Problem]:
    """Find the addresses without a namespace, and those with another one."""
    for resource in site.resources.of_kind("ScaledObject"):
        seen = set()
        for index, trigger in enumerate(mappings(lookup(resource.tree, "spec", "triggers"))):
            if not str(trigger.get("type", "")).startswith("redis"):
                continue
            for key, address in _addresses(mapping(trigger.get("metadata"))):
                message = _fault(site, resource, address)
                if message and address not in seen:
                    seen.add(address)
                    yield Problem(
                        message=message,
                        severity=ERROR,
                        resource=resource.ref,
                        field=f"spec.triggers[{index}].metadata.{key}",
                        remedy=_remedy(resource, address),
                    )


def _remedy(resource: Resource, address: str) -> str:
    if not resource.namespace:
        return "Set the site's namespace (`namespace:` in a kustomization below the function), or one in the address"
    if is_ours(resource):
        return (
            f"Give the address the namespace {resource.namespace}, in spec.broker.address or where the namespace is set"
        )
    name = address.partition(":")[0].partition(".")[0]
    return (
        f"Name {name}.{resource.namespace} where this ScaledObject is made (tutor-contrib-k8s takes Tutor's "
        "REDIS_HOST), or turn it off there and set keda.enabled: true"
    )


def _addresses(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _KEYS:
        for address in str(metadata.get(key) or "").split(","):
            if address.strip():
                yield key, address.strip()


def _fault(site: Site, resource: Resource, address: str) -> str:
    host = address.rpartition(":")[0] if address.rpartition(":")[2].isdigit() else address
    name, dot, rest = host.partition(".")
    if ":" in host or host == "localhost" or host.startswith("$"):
        return ""
    if not dot:
        return f"names {address} without a namespace, and KEDA looks for it in its own"
    namespace, _, domain = rest.partition(".")
    in_cluster = not domain or domain == "svc" or domain.startswith("svc.")
    own = site.resources.find("Service", name, resource.namespace)
    if in_cluster and own and namespace != resource.namespace:
        return f"names {address}, in namespace {namespace}, and the worker's is in {resource.namespace}"
    return ""
