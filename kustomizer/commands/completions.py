"""What a shell completes in arguments: services, workers and queues of a configuration, and the saved tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click

from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import DEFAULT
from kustomizer.errors import UserError
from kustomizer.openedx.workers import KNOWN_QUEUES
from kustomizer.overlay.changes import consumed_queues
from kustomizer.overlay.config_file import named_config
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.task_file import saved_tasks

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def place_of(overlay: Path, file: Path | None) -> Path:
    """Return the directory in which a command on a configuration looks for the saved tasks."""
    return overlay if file is None else file.parent


def _completion(words: Callable[[click.Context, CeleryWorkers, SiteTasks | None], Iterable[str]]) -> Completion:
    """Return what a shell asks; without a configuration that can be read it is told nothing."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        overlay, file = Path(ctx.params.get("overlay") or "."), ctx.params.get("file")
        site_tasks = None
        try:
            config = named_config(overlay, file).load()
            with suppress(UserError):
                site_tasks = saved_tasks(place_of(overlay, file))
        except (UserError, OSError):
            return []
        return sorted({word for word in words(ctx, config, site_tasks) if word.startswith(incomplete)})

    return complete


def _tasks(ctx: click.Context, config: CeleryWorkers, site_tasks: SiteTasks | None) -> Iterable[str]:
    service = ctx.params.get("service") or ""
    routed = config.spec.routing.get(service, {})
    return [*routed, *(() if site_tasks is None or ctx.params.get("remove") else site_tasks.names(service))]


def _workers(ctx: click.Context, config: CeleryWorkers, _known: SiteTasks | None) -> Iterable[str]:
    service = ctx.params.get("service") or ""
    return config.variants(service) if service in config.services() else ()


def _new_workers(ctx: click.Context, config: CeleryWorkers, site_tasks: SiteTasks | None) -> Iterable[str]:
    """Return what Open edX's queues, and those that tasks go to, would have a worker be called."""
    service = ctx.params.get("service") or ""
    prefix = f"edx.{service}.core."
    queues = {*KNOWN_QUEUES.get(service, ()), *(() if site_tasks is None else site_tasks.queues)}
    variants = config.variants(service) if service in config.services() else ()
    consumed = {f"{prefix}{DEFAULT}", *(queue for variant in variants for queue in config.queues(service, variant))}
    return [queue.removeprefix(prefix) for queue in queues - consumed if queue.startswith(prefix)]


complete_task, complete_worker, complete_new_worker = map(_completion, (_tasks, _workers, _new_workers))
complete_queue = _completion(lambda _ctx, config, _known: consumed_queues(config))
complete_service = _completion(lambda _ctx, config, _known: [*OPEN_EDX_SERVICES, *config.services()])
