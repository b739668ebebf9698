"""The steps of the function in their order: ``transform(resources, config)`` splits a site."""

from __future__ import annotations

from kustomizer import KIND, is_configuration
from kustomizer.errors import UserError
from kustomizer.transform.plan import plan
from kustomizer.transform.routing import route
from kustomizer.transform.split import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.errors import Problem
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.model import ServicePlan


def transform(resources: Resources, config: CeleryWorkers) -> list[Problem]:
    """Carry the configuration out on ``resources``. Returns warnings; raises UserError for what is refused."""
    plans, problems = plan(resources, config)
    problems += _for_each(plans, lambda each: split(resources, config, each))
    if any(variant.settings.keda_enabled for service_plan in plans for variant in service_plan.variants):
        from kustomizer.transform.keda.scaled_object import scale  # noqa: PLC0415 - what isn't asked for isn't imported

        problems += _for_each(plans, lambda each: scale(resources, config, each))
    if any(variant.settings.pod_disruption_budget for service_plan in plans for variant in service_plan.variants):
        from kustomizer.transform.disruption_budgets import limit_disruption  # noqa: PLC0415

        problems += limit_disruption(resources, plans)
    problems += route(resources, config)
    flower, monitoring = config.spec.flower, config.spec.monitoring
    if flower is not None and flower.enabled:
        from kustomizer.transform.flower.objects import add_flower  # noqa: PLC0415

        # What is to be said about the broker, KEDA's part may have said.
        problems += [problem for problem in add_flower(resources, config, flower) if problem not in problems]
    if monitoring is not None and monitoring.prometheus_rule.enabled:
        from kustomizer.transform.alerts.prometheus_rule import add_alerts  # noqa: PLC0415

        add_alerts(resources, config, plans, monitoring.prometheus_rule.labels)
    for resource in resources.of_kind(KIND):
        # The overlay lists the configuration as a resource, too, so that an unfinished build doesn't apply cleanly.
        if is_configuration(resource.api_version, resource.kind):
            resources.remove(resource)
    return problems


def _for_each(plans: Iterable[ServicePlan], step: Callable[[ServicePlan], list[Problem]]) -> list[Problem]:
    """Take a step for each service; what is refused for one doesn't hide what is refused for another."""
    problems: list[Problem] = []
    errors: list[Problem] = []
    for each in plans:
        try:
            problems += step(each)
        except UserError as error:
            errors += error.problems
    if errors:
        raise UserError(*errors)
    return problems
