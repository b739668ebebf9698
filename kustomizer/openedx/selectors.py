"""What selects or targets a worker and so leaves its copies out: autoscalers, budgets, policies, Services, monitors."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.workers import NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resources

_TARGET_REFERENCES = {
    "HorizontalPodAutoscaler": ("spec", "scaleTargetRef"),
    "VerticalPodAutoscaler": ("spec", "targetRef"),
}
_SELECTORS = {
    "PodDisruptionBudget": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
    "Service": ("spec", "selector"),
    "PodMonitor": ("spec", "selector"),
}
KINDS = (*_TARGET_REFERENCES, *_SELECTORS)
"""The kinds that are looked at, and that ``spec.copyTargeting`` may name."""

# Where a NetworkPolicy names those that may come in, or be reached.
_PEERS = (("ingress", "from"), ("egress", "to"))

_CONSEQUENCES = {
    "HorizontalPodAutoscaler": "they have no autoscaler of this kind",
    "VerticalPodAutoscaler": "their requests aren't adjusted",
    "PodDisruptionBudget": "a node's drain may evict all of them at once",
    "NetworkPolicy": "they may be cut off from what the worker reaches, MySQL and Redis among it",
    "Service": "it doesn't reach them",
    "PodMonitor": "their metrics aren't scraped",
}


def targeting(resources: Resources, worker: Resource) -> list[Resource]:
    """Return the resources that may select or target ``worker``: those of these kinds that name it."""
    return [
        resource
        for resource in resources.of_kind(*KINDS)
        if resource.namespace == worker.namespace and resource.mentions(worker.name)
    ]


def has_autoscaler(resources: Resources, worker: Resource, deployment: str, *, copied: bool) -> bool:
    """Tell whether an autoscaler of others targets ``deployment``; a copy of the worker's where it is ``copied``."""
    return any(
        resource.namespace == worker.namespace
        and any(
            resource.mentions(name) and _refers(lookup(resource.tree, "spec", "scaleTargetRef"), name) for name in names
        )
        for kind, names in (
            ("HorizontalPodAutoscaler", {worker.name, deployment} if copied else {deployment}),
            ("ScaledObject", {deployment}),
        )
        for resource in resources.of_kind(kind)
    )


def leaves_out(resource: Resource, worker: Resource, copy: Resource) -> bool:
    """Tell whether ``resource`` selects or targets ``worker`` but not ``copy``."""
    if resource.kind in _TARGET_REFERENCES:
        return _refers(_reference(resource), worker.name)
    return any(
        _selects(selector, _pod_labels(worker)) and not _selects(selector, _pod_labels(copy))
        for selector in _selectors(resource)
    )


def is_needless(new: Resource, copy: Resource, resources: Resources) -> bool:
    """Tell whether the build has what ``new``, a copy of what targets the worker, would be for ``copy``.

    Two autoscalers of one Deployment fight, and two budgets for one pod let nobody evict it: there any other counts.
    """
    others = [other for other in resources.of_kind(new.kind) if other.namespace == new.namespace]
    if new.kind in _TARGET_REFERENCES:
        return any(_refers(_reference(other), copy.name) for other in others if other.mentions(copy.name))
    if new.kind == "PodDisruptionBudget":
        return any(selected_by(other, copy) for other in others)
    spec = plain_value(lookup(new.tree, "spec"))
    return any(plain_value(lookup(other.tree, "spec")) == spec for other in others if other.mentions(copy.name))


def selected_by(resource: Resource, deployment: Resource) -> bool:
    """Tell whether ``resource`` selects the pods of ``deployment``."""
    return any(_selects(selector, _pod_labels(deployment)) for selector in _selectors(resource))


def _reference(resource: Resource) -> Any:
    return lookup(resource.tree, *_TARGET_REFERENCES[resource.kind])


def _refers(reference: Any, deployment: str) -> bool:
    # A ScaledObject's may leave its kind out.
    return bool((lookup(reference, "kind") or "Deployment") == "Deployment" and lookup(reference, "name") == deployment)


def _selectors(resource: Resource) -> Iterator[Any]:
    """Yield the label selectors of ``resource``; a policy's peers too, since MySQL's may let only the worker in."""
    path = _SELECTORS.get(resource.kind)
    selector = lookup(resource.tree, *path) if path else None
    if resource.kind == "Service":
        yield {"matchLabels": selector} if selector else None
        return
    yield selector
    for direction, peers in _PEERS:
        for rule in lookup(resource.tree, "spec", direction) or ():
            for peer in lookup(rule, peers) or ():
                yield _pods(peer)


def _pods(peer: Any) -> Any:
    return lookup(peer, "podSelector")


def _pod_labels(resource: Resource) -> dict[str, str]:
    labels = plain_value(lookup(resource.tree, "spec", "template", "metadata", "labels"))
    return labels if isinstance(labels, dict) else {}


def _selects(selector: Any, labels: dict[str, str]) -> bool:
    """Tell whether a LabelSelector selects ``labels`` (``matchLabels`` and ``matchExpressions``, all of them)."""
    if not isinstance(selector, dict):
        return False
    for key, value in (lookup(selector, "matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(_holds(expression, labels) for expression in lookup(selector, "matchExpressions") or ())


def _holds(expression: Any, labels: dict[str, str]) -> bool:
    key, operator = lookup(expression, "key"), lookup(expression, "operator")
    values = lookup(expression, "values") or []
    holds: dict[Any, Callable[[], bool]] = {
        "In": lambda: labels.get(key) in values,
        "NotIn": lambda: labels.get(key) not in values,
        "Exists": lambda: key in labels,
        "DoesNotExist": lambda: key not in labels,
    }
    return operator in holds and holds[operator]()


def copy_for(resource: Resource, worker: Resource, copy: Resource) -> Resource:
    """Return a copy of ``resource`` that selects or targets ``copy`` where it did ``worker``."""
    tree = resource.copy_tree()
    old, new = worker.name, copy.name
    name = resource.name.replace(old, new) if old in resource.name else f"{resource.name}-{new}"
    tree["metadata"]["name"] = name
    labels = lookup(tree, "metadata", "labels")
    if lookup(labels, NAME_LABEL) == old:
        labels[NAME_LABEL] = new
    if resource.kind in _TARGET_REFERENCES:
        lookup(tree, *_TARGET_REFERENCES[resource.kind])["name"] = new
    else:
        if resource.kind == "NetworkPolicy" and not _selects(lookup(tree, "spec", "podSelector"), _pod_labels(worker)):
            _keep_peers(tree["spec"], worker)
        _rename(tree["spec"], old, new)
    return Resource.new(tree, indent=resource.indent)


def _keep_peers(spec: dict[str, Any], worker: Resource) -> None:
    """Leave of a policy for other pods only what lets ``worker`` through: the rest of it holds already."""
    for direction, peers in _PEERS:
        rules = []
        for rule in lookup(spec, direction) or ():
            own = [peer for peer in lookup(rule, peers) or () if _selects(_pods(peer), _pod_labels(worker))]
            if own:
                rules.append({**rule, peers: own})
        if direction in spec:
            spec[direction] = rules


def _rename(node: Any, old: str, new: str) -> None:
    """Let label selectors name ``new``, and it alone, where they name ``old``: the rest they select already."""
    if isinstance(node, list):
        for child in node:
            _rename(child, old, new)
    elif isinstance(node, dict):
        if node.get("key") == NAME_LABEL and node.get("operator") == "In" and old in (node.get("values") or ()):
            node["values"] = [new]
        for key, child in node.items():
            if key == NAME_LABEL and child == old:
                node[key] = new
            else:
                _rename(child, old, new)


def left_out(resource: Resource, copies: Sequence[str], worker: Resource) -> Problem:
    """Return the warning that ``resource`` holds for the worker but not for its copies."""
    return Problem(
        message=f"holds for {worker.name} but not for {', '.join(copies)}: {_CONSEQUENCES[resource.kind]}",
        severity=WARNING,
        resource=resource.ref,
        remedy=f"Set spec.copyTargeting: [{resource.kind}] to copy it, or widen it",
    )
