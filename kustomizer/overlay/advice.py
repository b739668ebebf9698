"""What a build will warn of in one worker's settings, as far as the configuration alone tells."""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.config.load import worker_settings
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import DEFAULT, Worker, deployment_name
from kustomizer.errors import WARNING, Problem
from kustomizer.transform.keda.checks import warnings
from kustomizer.transform.model import Variant
from kustomizer.transform.plan import builtin_settings
from kustomizer.transform.timeouts import CELERYS_VISIBILITY_TIMEOUT, grace_period_problems, shared_key_problems

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
    problems = grace_period_problems(
        config,
        worker,
        worker.settings.termination_grace_period_seconds or 0,
        timeout or CELERYS_VISIBILITY_TIMEOUT,
    )
    if name == DEFAULT:
        emitted = dict.fromkeys(OPEN_EDX_SERVICES, CELERYS_VISIBILITY_TIMEOUT)
        defaults = [
            _variant(config, service, DEFAULT) for service in OPEN_EDX_SERVICES if service in config.spec.workers
        ]
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
