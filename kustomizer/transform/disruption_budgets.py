"""Adds PodDisruptionBudgets: how many of a worker's pods a node's drain may evict at a time."""

from __future__ import annotations

from kustomizer.errors import INFO, Problem
from kustomizer.manifests.resource import Resource, same_object
from kustomizer.manifests.tree import clone, lookup
from kustomizer.openedx.workers import site_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from kustomizer.config.worker import PodDisruptionBudget
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.model import ServicePlan


def limit_disruption(resources: Resources, plans: Sequence[ServicePlan]) -> list[Problem]:
    """Add a PodDisruptionBudget for each worker of ``plans`` that is to have one.

    Returns a note for each worker that already has a budget: with two, Kubernetes evicts none of its pods.
    """
    # Read before ours are added.
    budgets = resources.of_kind("PodDisruptionBudget")
    return [note for plan in plans for note in _limit(resources, plan, budgets)]


def _limit(resources: Resources, plan: ServicePlan, budgets: Sequence[Resource]) -> list[Problem]:
    notes: list[Problem] = []
    namespace = plan.emitted.resource.namespace
    find = _finder([budget for budget in budgets if budget.namespace == namespace])
    for variant in plan.variants:
        wanted = variant.settings.pod_disruption_budget
        if wanted is None:
            continue
        deployment = resources.find("Deployment", variant.deployment, namespace)[0]
        new = _budget(wanted, deployment)
        present = find(deployment)
        if not present:
            resources.add(new, after=deployment)
        elif not any(same_object(budget.tree, new.tree) for budget in present):
            message = f"already limits the disruption of {variant.deployment}; no second budget is added"
            remedy = f"Set {variant.path}.podDisruptionBudget: null, or take this budget out"
            notes.append(present[0].problem(message, remedy, field="spec.selector", severity=INFO))
    return notes


def _finder(budgets: Sequence[Resource]) -> Callable[[Resource], list[Resource]]:
    """Return a function that finds the ones of ``budgets`` that select a Deployment's pods."""
    if not budgets:
        return lambda _: []
    from kustomizer.openedx.selectors import NameIndex, selected_by  # noqa: PLC0415 - few sites have budgets

    index = NameIndex(budgets)
    return lambda deployment: [
        budget for budget in index.near("PodDisruptionBudget", deployment) if selected_by(budget, deployment)
    ]


def _budget(wanted: PodDisruptionBudget, deployment: Resource) -> Resource:
    fields = {
        "maxUnavailable": wanted.max_unavailable,
        "minAvailable": wanted.min_available,
        "unhealthyPodEvictionPolicy": wanted.unhealthy_pod_eviction_policy,
    }
    spec: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    spec["selector"] = clone(lookup(deployment.tree, "spec", "selector"))
    metadata = site_metadata(deployment, name=deployment.name)
    return Resource.beside(deployment, "policy/v1", "PodDisruptionBudget", metadata, spec=spec)
