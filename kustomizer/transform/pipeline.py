"""Runs the steps of the function in their order: ``transform(resources, config)`` splits a site."""

from __future__ import annotations

from kustomizer import KIND, SPLIT_BY, is_configuration
from kustomizer.errors import UserError
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX
from kustomizer.transform.plan import plan
from kustomizer.transform.split import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.errors import Problem
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.model import ServicePlan


def transform(resources: Resources, config: CeleryWorkers) -> list[Problem]:
    """Apply the configuration to ``resources``. Returns warnings; raises UserError for what is refused."""
    settings = (item for item in resources.of_kind("ConfigMap") if f"-worker{CONFIG_MAP_SUFFIX}" in item.name)
    if any(item.mentions(SPLIT_BY) for item in settings):
        from kustomizer.transform.split_mark import keep_mark, take_mark  # noqa: PLC0415 - hardly any site has it

        mark = take_mark(resources, config)
        problems = _transform(resources, config)
        keep_mark(resources, config, mark)
        return problems
    return _transform(resources, config)


def _transform(resources: Resources, config: CeleryWorkers) -> list[Problem]:
    plans, problems = plan(resources, config)
    problems += _for_each(plans, lambda service: split(resources, config, service))
    if config.spec.scheduler is not None and config.spec.scheduler.enabled:
        from kustomizer.transform.scheduler import without_scheduler  # noqa: PLC0415 - few sites have one

        problems += without_scheduler(resources, config)
    flower, monitoring = config.spec.flower, config.spec.monitoring
    has_flower = flower is not None and flower.enabled
    has_keda = any(variant.settings.keda_enabled for service_plan in plans for variant in service_plan.variants)
    restores = config.spec.celery.restore_orphans.enabled
    # These steps are imported only where they are asked for.
    if has_keda or has_flower or restores:
        from kustomizer.openedx.broker import Brokers  # noqa: PLC0415

        brokers = Brokers(resources, config)
    if has_keda:
        from kustomizer.transform.keda.scaled_object import scale  # noqa: PLC0415

        problems += _for_each(plans, lambda service: scale(resources, config, service, brokers))
    if any(variant.settings.pod_disruption_budget for service_plan in plans for variant in service_plan.variants):
        from kustomizer.transform.disruption_budgets import limit_disruption  # noqa: PLC0415

        problems += limit_disruption(resources, plans)
    if config.spec.routing:
        from kustomizer.transform.routing import route  # noqa: PLC0415

        problems += route(resources, config)
    if flower is not None and has_flower:
        from kustomizer.transform.flower.objects import add_flower  # noqa: PLC0415

        # KEDA's part may have given the same warnings about the broker.
        problems += [problem for problem in add_flower(resources, flower, brokers) if problem not in problems]
    if restores:
        from kustomizer.transform.restore_orphans import add_restore_orphans  # noqa: PLC0415

        problems += [
            problem for problem in add_restore_orphans(resources, config, plans, brokers) if problem not in problems
        ]
    if monitoring is not None and monitoring.prometheus_rule.enabled:
        from kustomizer.transform.alerts.prometheus_rule import add_alerts  # noqa: PLC0415

        add_alerts(resources, config, plans, monitoring.prometheus_rule.labels)
    for resource in resources.of_kind(KIND):
        # The overlay lists the configuration as a resource, too, so that a build without the function doesn't apply.
        if is_configuration(resource.api_version, resource.kind):
            resources.remove(resource)
    return problems


def _for_each(plans: Iterable[ServicePlan], step: Callable[[ServicePlan], list[Problem]]) -> list[Problem]:
    """Run ``step`` for each service; raises the errors of all of them together."""
    problems: list[Problem] = []
    errors: list[Problem] = []
    for service_plan in plans:
        try:
            problems += step(service_plan)
        except UserError as error:
            errors += error.problems
    if errors:
        raise UserError(*errors)
    return problems
