"""Whether times fit each other: after how long Redis hands a running task out again, and how long a pod may finish."""

from __future__ import annotations

from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.tutor import OPEN_EDX_SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.config import CeleryWorkers
    from kustomizer.plan import ServicePlan, Variant

CELERYS_VISIBILITY_TIMEOUT = 3600
"""Seconds (kombu/transport/redis.py)."""


def check_timeouts(config: CeleryWorkers, plans: Sequence[ServicePlan]) -> list[Problem]:
    """Return what is wrong with the times of lms and cms; another application's settings aren't ours to know."""
    split = [plan for plan in plans if plan.service in OPEN_EDX_SERVICES]
    problems = _shared_key(config, [plan.variants[0] for plan in split])
    for plan in split:
        for variant in plan.variants:
            problems += _grace_period(config, plan, variant)
    return problems


def _visibility_timeout(variant: Variant) -> int:
    return variant.settings.visibility_timeout or CELERYS_VISIBILITY_TIMEOUT


def _shared_key(config: CeleryWorkers, defaults: Sequence[Variant]) -> list[Problem]:
    """The default workers share Celery's own in-flight key in Redis, where the shortest timeout counts for all tasks.

    A service that isn't split has Celery's own timeout, as far as one can tell from here.
    """
    timeouts = [_visibility_timeout(variant) for variant in defaults]
    changed = [variant for variant in defaults if _visibility_timeout(variant) != CELERYS_VISIBILITY_TIMEOUT]
    if not changed or (len(defaults) > 1 and len(set(timeouts)) == 1):
        return []
    own = changed[0]
    other = next((variant for variant in defaults if variant is not own), None)
    if other is not None:
        rival, seconds = other.service, _visibility_timeout(other)
        remedy = f"Give {other.path} the same visibilityTimeout, or the long tasks a worker of their own"
    else:
        unsplit = next(service for service in OPEN_EDX_SERVICES if service != own.service)
        rival, seconds = f"{unsplit}, which isn't split", CELERYS_VISIBILITY_TIMEOUT
        remedy = f"Split {unsplit} with the same visibilityTimeout, too, or give the long tasks a worker of their own"
    return [
        Problem(
            message=f"the default worker shares Celery's in-flight key with that of {rival}, and of "
            f"{_visibility_timeout(own)} s and {seconds} s the shorter counts for both: what runs longer is run twice",
            severity=ERROR if other is not None else WARNING,
            resource=config.ref,
            field=visibility_timeout_path(config, own),
            remedy=remedy,
        )
    ]


def visibility_timeout_path(config: CeleryWorkers, variant: Variant) -> str:
    """Return the field that sets the worker's visibility timeout, empty where the configuration doesn't."""
    own = config.spec.workers[variant.service].get(variant.name)
    if (own and own.visibility_timeout) or config.spec.defaults.visibility_timeout:
        return config.origin(variant.service, variant.name, "visibilityTimeout")
    return "spec.celery.visibilityTimeout" if config.spec.celery.visibility_timeout else ""


def _grace_period(config: CeleryWorkers, plan: ServicePlan, variant: Variant) -> list[Problem]:
    seconds = variant.settings.termination_grace_period_seconds or plan.emitted.grace_period
    timeout = _visibility_timeout(variant)
    if seconds <= timeout:
        return []
    return [
        Problem(
            message=f"pods of {variant.deployment} get {seconds} s to finish a task, which Redis hands to another one "
            f"after {timeout} s: it is run twice",
            severity=WARNING,
            resource=config.ref,
            field=config.origin(variant.service, variant.name, "terminationGracePeriodSeconds"),
            remedy=f"Set {variant.path}.visibilityTimeout above it",
        )
    ]
