"""Who consumes what after the split: each service's default worker and its copies, before anything is changed."""

from __future__ import annotations

from kustomizer.config import deployment_name
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.record import Record
from kustomizer.tutor import OPEN_EDX_SERVICES, consumed_queues, emitted_worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.config import CeleryWorkers, Worker
    from kustomizer.resources import Resources
    from kustomizer.tutor import EmittedWorker

DEFAULT = "default"
"""The variant that Tutor's own Deployment becomes."""

# What a rollout, a node's drain or KEDA's scale-in may interrupt: with late acknowledgement a task that is cut off is
# run again from its start, so the pod waits for it. 600 s is what the cluster autoscaler grants by default
# (--max-graceful-termination-sec), and longer than any task of Open edX's short queues.
_GRACE_PERIOD = 600
# Grade and problem response reports, the tasks of this queue, run for up to an hour on a large site. The visibility
# timeout is above the grace period, or a task that still runs would be delivered a second time.
_REPORTS_GRACE_PERIOD = 3600
_REPORTS_VISIBILITY_TIMEOUT = 7200


# A worker that KEDA scales runs on nodes that come and go: no more than one pod is evicted at a time, and none that
# an autoscaler of nodes would only like to move.
_SCALED = {"podDisruptionBudget": {"maxUnavailable": 1}, "protectFromEviction": True}


def builtin_settings(service: str, variant: str, *, emitted_grace_period: int = 0) -> dict[str, object]:
    """Return what this kind of worker is given unless the configuration says otherwise, as raw configuration.

    A grace period (seconds) that somebody patched into Tutor's Deployment isn't shortened.
    """
    if service not in OPEN_EDX_SERVICES:
        return {}
    if (service, variant) == ("lms", "high_mem"):
        return {
            "terminationGracePeriodSeconds": max(_REPORTS_GRACE_PERIOD, emitted_grace_period),
            "visibilityTimeout": _REPORTS_VISIBILITY_TIMEOUT,
            # The cluster autoscaler grants 600 s, whatever the pod asks for.
            "protectFromEviction": True,
        }
    return {"terminationGracePeriodSeconds": max(_GRACE_PERIOD, emitted_grace_period)}


class Variant(Record):
    """One worker Deployment to be: Tutor's own, or a copy of it."""

    service: str
    name: str
    deployment: str
    queues: tuple[str, ...]
    settings: Worker
    soft_shutdown: bool = False
    """Whether its tasks are put back after a while when the worker is asked to stop."""

    @property
    def is_default(self) -> bool:
        """Whether this is the Deployment that Tutor emits."""
        return self.name == DEFAULT

    @property
    def unacked_suffix(self) -> str:
        """What tells the worker's in-flight keys from Celery's own.

        Nothing for the default worker, which restores what pods from before the split left.
        """
        return "" if self.is_default else f".{self.deployment}"

    @property
    def path(self) -> str:
        """Where the configuration speaks of it."""
        return f"spec.workers.{self.service}.{self.name}"


class ServicePlan(Record):
    """A service whose worker is split."""

    emitted: EmittedWorker
    variants: Sequence[Variant]

    @property
    def service(self) -> str:
        """The service's name."""
        return self.emitted.service


def plan(resources: Resources, config: CeleryWorkers) -> tuple[list[ServicePlan], list[Problem]]:
    """Return the split of each configured service, and warnings.

    Raises UserError for a service without a worker, and for queues that nobody would consume.
    """
    problems: list[Problem] = []
    plans: list[ServicePlan] = []
    for service in config.spec.workers:
        try:
            emitted = emitted_worker(resources, service)
        except UserError as error:
            problems += error.problems
            continue
        found, notes = _split(emitted, config)
        plans.append(found)
        problems += notes
    errors = [problem for problem in problems if problem.severity != WARNING]
    if not errors:
        errors = _unserved_routes(resources, config, plans)
    if errors:
        raise UserError(*errors)
    return plans, problems


def _split(emitted: EmittedWorker, config: CeleryWorkers) -> tuple[ServicePlan, list[Problem]]:
    service = emitted.service
    others = [name for name in config.spec.workers[service] if name != DEFAULT]
    variants = [_variant(config, emitted, name) for name in (DEFAULT, *others)]
    assigned = {queue for variant in variants for queue in variant.queues}
    orphans = tuple(queue for queue in emitted.queues or () if queue not in assigned)
    policy = config.spec.unassigned_queues
    problems = []
    if orphans and policy == "KeepOnDefault":
        variants[0] = variants[0].replace(queues=(*variants[0].queues, *orphans))
    elif orphans:
        queues = ", ".join(orphans)
        problems.append(
            Problem(
                message=f"after the split no worker would consume {queues}, and tasks there would wait for ever",
                severity=WARNING if policy == "Ignore" else "error",
                resource=emitted.resource.ref,
                field=f"spec.workers.{service}",
                remedy="Give each a worker here or list it in another worker's queues, or set "
                "spec.unassignedQueues: KeepOnDefault",
            )
        )
    return ServicePlan(emitted=emitted, variants=variants), problems


def _variant(config: CeleryWorkers, emitted: EmittedWorker, name: str) -> Variant:
    service = emitted.service
    builtin = builtin_settings(service, name, emitted_grace_period=emitted.grace_period)
    settings = config.worker(service, name, builtin=builtin)
    if settings.keda_enabled:
        settings = config.worker(service, name, builtin={**builtin, **_SCALED})
    return Variant(
        service=service,
        name=name,
        deployment=deployment_name(service, name),
        queues=tuple(settings.queues or (f"edx.{service}.core.{name}",)),
        settings=settings,
        soft_shutdown=service in OPEN_EDX_SERVICES and config.spec.celery.soft_shutdown_timeout is not None,
    )


def _unserved_routes(resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan]) -> list[Problem]:
    if not any(config.spec.routing.values()):
        return []
    split = {plan.emitted.resource.identity for plan in plans}
    consumed = consumed_queues(item for item in resources if item.identity not in split)
    consumed |= {queue for plan in plans for variant in plan.variants for queue in variant.queues}
    return [
        Problem(
            message=f"no worker of this build consumes {route.queue}: the task would wait for ever",
            field=f'spec.routing.{service}["{task}"].queue',
            remedy=f"Name a queue that is consumed ({', '.join(sorted(consumed))}), or add a worker for it",
        )
        for service, routes in config.spec.routing.items()
        for task, route in routes.items()
        if route.queue not in consumed
    ]
