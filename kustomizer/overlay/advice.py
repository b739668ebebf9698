"""What is to be said of a change: what a build will warn of, as far as the configuration and the saved tasks tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.config.load import worker_settings
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.values import did_you_mean
from kustomizer.config.worker import DEFAULT, Worker, deployment_name
from kustomizer.errors import INFO, WARNING, Problem
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.task_file import SAVE_AGAIN
from kustomizer.transform.keda.checks import warnings
from kustomizer.transform.model import Variant
from kustomizer.transform.plan import builtin_settings
from kustomizer.transform.timeouts import grace_period_problems, shared_key_problems

# The site's settings are read by a build.
_ASSUMED = f"Celery's {CELERYS_VISIBILITY_TIMEOUT} s hold unless the site sets BROKER_TRANSPORT_OPTIONS"


def advice(config: CeleryWorkers, service: str, name: str) -> Iterator[Problem]:
    """Yield warnings about the worker ``name`` of ``service``: those of a build that need nothing of the site."""
    worker = _variant(config, service, name)
    if worker.settings.keda_enabled:
        yield from warnings(config, worker, worker.settings.concurrency)
    if service not in OPEN_EDX_SERVICES:
        return
    timeout = worker.settings.visibility_timeout
    grace_period = worker.settings.termination_grace_period_seconds or 0
    problems = grace_period_problems(config, worker, grace_period, timeout or CELERYS_VISIBILITY_TIMEOUT)
    if name == DEFAULT:
        emitted = dict.fromkeys(OPEN_EDX_SERVICES, CELERYS_VISIBILITY_TIMEOUT)
        split = [service for service in OPEN_EDX_SERVICES if service in config.spec.workers]
        defaults = [_variant(config, service, DEFAULT) for service in split]
        problems += shared_key_problems(config, defaults, emitted)
        is_stated = all(variant.settings.visibility_timeout for variant in defaults)
    else:
        is_stated = timeout is not None
    for problem in problems:
        rests_on_celerys = f"{CELERYS_VISIBILITY_TIMEOUT} s" in problem.message and not is_stated
        remedy = f"{problem.remedy} ({_ASSUMED})" if rests_on_celerys else problem.remedy
        yield problem.replace(severity=WARNING, remedy=remedy)


def settings_of(config: CeleryWorkers, service: str, name: str) -> Worker:
    """Return a worker's settings as they hold, but for what Tutor's output says."""
    builtin = builtin_settings(service, name, is_scaled=(service, name) in config.scaled)
    return worker_settings(config, service, name, builtin=builtin)


def _variant(config: CeleryWorkers, service: str, name: str) -> Variant:
    return Variant(
        service=service,
        name=name,
        deployment=deployment_name(service, name),
        queues=tuple(config.queues(service, name)),
        settings=settings_of(config, service, name),
    )


def route_notes(site_tasks: SiteTasks, service: str, name: str) -> Iterator[Problem]:
    """Yield why a route of a task of ``service`` will have no effect, as far as the saved tasks tell."""
    if service not in site_tasks.services:
        return
    task = site_tasks.find(service, name)
    if task is None:
        remedy = did_you_mean(name, site_tasks.names(service)) or SAVE_AGAIN
        message = f"{service} had no task {name} on {site_tasks.asked}: the route has no effect"
        yield Problem(message=message, severity=WARNING, remedy=remedy)
    elif task.names_queue:
        message = f"{name} says itself that it goes to {task.queue}: the route has no effect"
        yield Problem(message=message, severity=WARNING, remedy="Only the task's own code, or the call, can move it")


def queue_notes(known: SiteTasks, config: CeleryWorkers, service: str, queues: Sequence[str]) -> Iterator[Problem]:
    """Yield which of a worker's queues no task goes to, as far as the saved tasks and the configuration tell."""
    routed = {route.queue for table in config.spec.routing.values() for route in table.values()}
    for queue in queues if service in known.services else ():
        if queue not in known.queues | routed:
            yield Problem(
                message=f"no task went to {queue} by itself on {known.asked}",
                severity=INFO,
                remedy=f"Route one there: tutor-kustomizer route {service} TASK {queue}",
            )
