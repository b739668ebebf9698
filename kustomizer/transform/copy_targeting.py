"""Copies what targets Tutor's worker for the worker's copies (``spec.copyTargeting``), and warns about the rest."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import list_at, lookup, plain_value, text_at
from kustomizer.openedx.selectors import PEERS, NameIndex, pod_labels, pod_selectors, selected_by, selects
from kustomizer.openedx.targeting import TARGET_REFERENCES, targeted_deployment
from kustomizer.openedx.workers import NAME_LABEL, emitted_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.model import ServicePlan, Variant

_BUDGET = "PodDisruptionBudget"
_CONSEQUENCES = {
    "HorizontalPodAutoscaler": "they have no autoscaler of this kind",
    "VerticalPodAutoscaler": "their requests aren't adjusted",
    _BUDGET: "a node's drain may evict all of them at once",
    "NetworkPolicy": "they may be cut off from what the worker reaches, MySQL and Redis among it",
    "Service": "it doesn't reach them",
    "PodMonitor": "their metrics aren't scraped",
}


def follow(
    resources: Resources,
    config: CeleryWorkers,
    plan: ServicePlan,
    originals: Sequence[Resource],
    copies: Sequence[Resource],
) -> list[Problem]:
    """Copy those of ``originals`` that the configuration wants copied; return warnings for the others.

    ``originals`` are what :func:`~kustomizer.openedx.targeting.targeting` returns for the worker of ``plan``;
    ``copies`` are the Deployments of its other variants.
    """
    worker = plan.emitted.resource
    default = plan.variants[0].settings
    # A budget that doesn't mention the worker may select a copy all the same.
    budgets = [budget for budget in resources.of_kind(_BUDGET) if budget.namespace == worker.namespace]
    index = NameIndex([*(original for original in originals if original.kind != _BUDGET), *budgets])
    warnings: list[Problem] = []
    for original in originals:
        if original.kind == _BUDGET and original.name == worker.name and default.pod_disruption_budget:
            continue  # the one that an earlier run made for the default worker alone
        if not holds_for(original, worker):
            continue
        left_out, copied = [], []
        for variant, copy in zip(plan.variants[1:], copies, strict=True):
            if _makes_its_own(variant, original.kind) or not leaves_out(original, worker, copy):
                continue
            new = copy_for(original, worker, copy)
            if is_needless(new, copy, index):
                continue
            if original.kind in config.spec.copy_targeting:
                resources.add(new, after=original)
                index.add(new)
                copied.append(copy.name)
            else:
                left_out.append(copy.name)
        if copied and original.kind == "HorizontalPodAutoscaler":
            warnings += _shared_metrics(original, copied, worker)
        if left_out:
            warnings.append(_left_out(original, left_out, worker))
    return warnings


def _makes_its_own(variant: Variant, kind: str) -> bool:
    """Tell whether the configuration gives the worker an object that does the same as one of this kind."""
    if kind == "HorizontalPodAutoscaler":
        return variant.settings.keda_enabled
    return kind == _BUDGET and variant.settings.pod_disruption_budget is not None


def holds_for(resource: Resource, deployment: Resource) -> bool:
    """Tell whether ``resource`` targets ``deployment``, or selects its pods."""
    if resource.kind in TARGET_REFERENCES:
        return targeted_deployment(resource) == deployment.name
    return selected_by(resource, deployment)


def leaves_out(resource: Resource, worker: Resource, copy: Resource) -> bool:
    """Tell whether ``resource`` targets or selects ``worker`` but not ``copy``."""
    if resource.kind in TARGET_REFERENCES:
        return targeted_deployment(resource) == worker.name
    workers, copys = pod_labels(worker), pod_labels(copy)
    selectors = pod_selectors(resource, worker.namespace)
    return any(selects(selector, workers) and not selects(selector, copys) for selector in selectors)


def is_needless(new: Resource, copy: Resource, index: NameIndex) -> bool:
    """Tell whether the build already has what ``new`` would be for ``copy``.

    Two autoscalers of one Deployment fight, and a pod with two budgets can't be evicted: there any object of the kind
    counts, elsewhere only an equal one.
    """
    near = index.near(new.kind, copy)
    if new.kind in TARGET_REFERENCES or new.kind == _BUDGET:
        return any(holds_for(resource, copy) for resource in near)
    spec = plain_value(lookup(new.tree, "spec"))
    return any(plain_value(lookup(equal.tree, "spec")) == spec for equal in near if equal.mentions(copy.name))


def copy_for(original: Resource, worker: Resource, copy: Resource) -> Resource:
    """Return a copy of ``original`` that targets or selects ``copy`` where it did ``worker``."""
    tree = original.copy_tree()
    old, new = worker.name, copy.name
    name = original.name.replace(old, new) if old in original.name else f"{original.name}-{new}"
    tree["metadata"]["name"] = name
    labels = lookup(tree, "metadata", "labels")
    if lookup(labels, NAME_LABEL) == old:
        labels[NAME_LABEL] = new
    if original.kind in TARGET_REFERENCES:
        lookup(tree, *TARGET_REFERENCES[original.kind])["name"] = new
        _rename_container(tree, _container(worker), _container(copy))
    else:
        is_for_others = not selects(lookup(tree, "spec", "podSelector"), pod_labels(worker))
        if original.kind == "NetworkPolicy" and (is_for_others or original.namespace != worker.namespace):
            _keep_peers(tree["spec"], worker)
        _rename(tree["spec"], old, new)
    return Resource.new(tree, indent=original.indent)


def _container(deployment: Resource) -> Any:
    """Return the name of the container that runs Celery."""
    emitted = emitted_in("", deployment)
    return lookup(emitted.container_tree, "name") if emitted else None


def _rename_container(tree: dict[str, Any], old: Any, new: Any) -> None:
    """Rename the container where an autoscaler names it: a VPA's policies, and an HPA's metrics of one container."""
    for path, step, field in (
        (("spec", "resourcePolicy", "containerPolicies"), (), "containerName"),
        (("spec", "metrics"), ("containerResource",), "container"),
    ):
        for item in list_at(tree, *path) if old else ():
            if lookup(item, *step, field) == old:
                lookup(item, *step)[field] = new


def _shared_metrics(hpa: Resource, copies: Sequence[str], worker: Resource) -> list[Problem]:
    """Return the warning that copies of an HPA count the same as it does, where that isn't their own pods' load."""
    kinds = [text_at(metric, "type") for metric in list_at(hpa.tree, "spec", "metrics")]
    index = next((index for index, kind in enumerate(kinds) if kind in ("External", "Object")), None)
    if index is None:
        return []
    message = f"is copied with a metric ({kinds[index]}) that isn't the pods' own: {', '.join(copies)} scale on "
    message += f"the number that {worker.name} scales on"
    remedy = "Give each an autoscaler on its own queue, and take HorizontalPodAutoscaler out of spec.copyTargeting"
    return [hpa.problem(message, remedy, field=f"spec.metrics[{index}]", severity=WARNING)]


def _keep_peers(spec: dict[str, Any], worker: Resource) -> None:
    """Reduce a policy for other pods to the peers that are ``worker``: the original holds for the rest."""
    labels = pod_labels(worker)
    for direction, peers in PEERS:
        rules = []
        for rule in list_at(spec, direction):
            selecting = [peer for peer in list_at(rule, peers) if selects(lookup(peer, "podSelector"), labels)]
            if selecting:
                rules.append({**rule, peers: selecting})
        if direction in spec:
            spec[direction] = rules


def _rename(node: Any, old: str, new: str) -> None:
    """Let label selectors name ``new`` alone where they name ``old``: the original selects the rest."""
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


def _left_out(resource: Resource, copies: Sequence[str], worker: Resource) -> Problem:
    message = f"holds for {worker.name} but not for {', '.join(copies)}: {_CONSEQUENCES[resource.kind]}"
    # What names its target can't hold for several.
    otherwise = "give them one of their own" if resource.kind in TARGET_REFERENCES else "widen it"
    remedy = f"Set spec.copyTargeting: [{resource.kind}] to copy it, or {otherwise}"
    return resource.problem(message, remedy, severity=WARNING)
