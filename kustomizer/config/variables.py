"""Variables in a worker's ``env`` by which Celery does something else than the configuration says."""

from __future__ import annotations

from kustomizer.config.types import ENV_FILE_VARIABLES, OPEN_EDX_SERVICES, tutors_settings
from kustomizer.errors import Problem
from kustomizer.worker_command.options import SPELLINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.config.worker import Worker

# Variables that Celery, or its command, takes its broker from.
_BROKER = frozenset({"CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER", "BROKER_URL"})
# Celery's command takes these for options where the command line hasn't got them; what is stated there counts.
_PREFIX = "CELERY_WORKER_"
_STATED = frozenset({"--help", "--hostname", "--queues"})


def variable_problems(config: CeleryWorkers, service: str, variant: str, worker: Worker) -> Iterator[Problem]:
    """Yield the problems of a worker's own variables."""
    for entry in worker.env or ():
        if not (entry.get("value") or entry.get("valueFrom")):
            continue
        field = f"{config.origin(service, variant, 'env')} ({entry['name']})"
        for message, remedy in (
            *_broker(config, service, worker, entry["name"]),
            *_option(entry["name"]),
            *_settings(config, service, entry),
        ):
            yield Problem(field=field, message=message, remedy=remedy)


def _broker(config: CeleryWorkers, service: str, worker: Worker, name: str) -> Iterator[tuple[str, str]]:
    """Yield the problem that a variable moves the worker to a broker at which nothing else of ours would look.

    For Celery these variables come before its settings (docs/what-is-read.md), and each worker may have others.
    """
    broker, flower = config.spec.broker, config.spec.flower
    is_located = broker is not None and broker.is_located
    restores = config.spec.celery.restore_orphans.enabled
    readers = (("KEDA", worker.keda_enabled), ("Flower", flower and flower.enabled), ("restoreOrphans", restores))
    others = [reader for reader, on in readers if on]
    if is_located or not others or service not in OPEN_EDX_SERVICES:
        return
    says = "says where Celery's broker is" if name in _BROKER else "names a file that may say where Celery's broker is"
    if name in _BROKER or name == ENV_FILE_VARIABLES[service]:
        message = f"{says}, and {' and '.join(others)} would look where Tutor has it"
        yield message, "Say the same in spec.broker.address (or sentinel), and what else differs from the defaults"


def _option(name: str) -> Iterator[tuple[str, str]]:
    """Yield the problem that a variable stands for an option that no worker may have of its own."""
    option = SPELLINGS.get("--" + name.removeprefix(_PREFIX).lower().replace("_", "-"))
    if name.startswith(_PREFIX) and option is not None and option.reserved and option.name not in _STATED:
        why, remedy = option.reserved
        yield f"stands for {option.name}: {why}", remedy


def _settings(config: CeleryWorkers, service: str, entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the problem that a worker loads other settings than those that ours are put beside."""
    if service not in OPEN_EDX_SERVICES:
        return
    module = config.spec.settings.modules.get(service) or tutors_settings(service)
    expected = {"DJANGO_SETTINGS_MODULE": module, "SERVICE_VARIANT": service}.get(entry["name"])
    if expected is not None and entry.get("value") != expected:
        message = "has the worker load other settings, and those that a split needs aren't in them"
        remedy = f"Take it out, or name the module of all workers in spec.settings.modules.{service}"
        yield message, remedy if entry["name"] == "DJANGO_SETTINGS_MODULE" else "Take it out"
