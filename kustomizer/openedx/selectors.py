"""What targets a Deployment or selects its pods: references, label selectors, and an index of both."""

from __future__ import annotations

from kustomizer.manifests.tree import list_at, lookup, plain_value
from kustomizer.openedx.targeting import (
    SELECTORS,
    TARGET_REFERENCES,
    monitor_reaches,
    peer_reaches,
    targeted_deployment,
)
from kustomizer.openedx.workers import NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kustomizer.manifests.resource import Resource

PEERS = (("ingress", "from"), ("egress", "to"))
"""Where a NetworkPolicy names those that may come in, or be reached."""
_ANY = ""
"""Stands in the index for a selector that requires no name."""


def pod_labels(deployment: Resource) -> dict[str, str]:
    """Return the labels of a Deployment's pods."""
    labels = plain_value(lookup(deployment.tree, "spec", "template", "metadata", "labels"))
    return labels if isinstance(labels, dict) else {}


def selected_by(resource: Resource, deployment: Resource) -> bool:
    """Tell whether ``resource`` selects the pods of ``deployment``."""
    labels = pod_labels(deployment)
    return any(selects(selector, labels) for selector in pod_selectors(resource, deployment.namespace))


def pod_selectors(resource: Resource, namespace: str | None = None) -> Iterator[Any]:
    """Yield the label selectors of ``resource``; a policy's peers too, since MySQL's may let only the worker in.

    With a ``namespace`` those are left out that are about pods of other ones.
    """
    path = SELECTORS.get(resource.kind)
    selector = lookup(resource.tree, *path) if path else None
    if resource.kind == "Service":
        yield {"matchLabels": selector} if selector else None
        return
    is_near = namespace is None or resource.namespace == namespace
    if resource.kind == "PodMonitor" and namespace is not None:
        is_near = monitor_reaches(resource, namespace)
    if is_near:
        yield selector
    for direction, peers in PEERS:
        for rule in list_at(resource.tree, "spec", direction):
            for peer in list_at(rule, peers):
                if namespace is None or peer_reaches(peer, resource, namespace):
                    yield lookup(peer, "podSelector")


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """Tell whether a LabelSelector selects ``labels`` (``matchLabels`` and ``matchExpressions``, all of them)."""
    if not isinstance(selector, dict):
        return False
    match = lookup(selector, "matchLabels")
    for key, value in match.items() if isinstance(match, dict) else ():
        if labels.get(key) != value:
            return False
    return all(_holds(expression, labels) for expression in list_at(selector, "matchExpressions"))


def _holds(expression: Any, labels: dict[str, str]) -> bool:
    key, operator = (str(lookup(expression, field)) for field in ("key", "operator"))
    values = list_at(expression, "values")
    holds = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return holds.get(operator, False)


def required_names(selector: Any) -> tuple[str, ...] | None:
    """Return the values of Tutor's name label that a pod needs one of; None where the selector leaves it open."""
    name = lookup(selector, "matchLabels", NAME_LABEL)
    if name is not None:
        return (str(name),)
    for expression in list_at(selector, "matchExpressions"):
        if lookup(expression, "key") == NAME_LABEL and lookup(expression, "operator") == "In":
            return tuple(str(value) for value in list_at(expression, "values"))
    return None


class NameIndex:
    """Objects of one namespace that target or select pods, by what they require: a thousand copies search them."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_name: dict[tuple[str, str], dict[int, Resource]] = {}
        self._size = 0
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Add ``resource``, behind those that are there."""
        for name in _required_by(resource):
            self._by_name.setdefault((resource.kind, name), {})[self._size] = resource
        self._size += 1

    def near(self, kind: str, deployment: Resource) -> list[Resource]:
        """Return the objects of ``kind`` that may hold for ``deployment``, in order; none that does is left out."""
        if kind in TARGET_REFERENCES:
            return list(self._by_name.get((kind, deployment.name), {}).values())
        name = str(pod_labels(deployment).get(NAME_LABEL))
        named = self._by_name.get((kind, name), {}) | self._by_name.get((kind, _ANY), {})
        return [resource for _, resource in sorted(named.items())]


def _required_by(resource: Resource) -> set[str]:
    if resource.kind in TARGET_REFERENCES:
        return {targeted_deployment(resource)}
    names: set[str] = set()
    for selector in pod_selectors(resource):
        required = required_names(selector)
        names.update((_ANY,) if required is None else required)
    return names
