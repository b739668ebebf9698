"""Queues as a site has them: what a worker takes, and what the site calls the queues that Open edX's variants mean."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import UserError
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import workers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kustomizer.config.broker import Broker
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.workers import EmittedWorker

NAMED = frozenset({"default", "high", "high_mem", "low"})
"""The variants whose queues have a setting of Open edX's for their name."""


def taken_queues(resources: Resources, worker: EmittedWorker) -> tuple[str, ...] | None:
    """Return the queues that a worker takes, None where only the application's own settings name them.

    Raises UserError where a worker of Open edX's takes what nobody can know.
    """
    unknown = f"which queues {worker.deployment} takes isn't known"
    remedy = "Name them in the worker's --queues (a plugin can patch LMS_WORKER_COMMAND or CMS_WORKER_COMMAND)"
    doubt = worker.command_line.doubt
    if doubt:
        raise UserError(worker.resource.problem(f"{unknown}: {doubt}", remedy, field=worker.field))
    celery = own_settings(resources, worker)
    if celery is None:
        return worker.queues
    queues = celery.queues
    if queues.likely is not None:
        return tuple(queues.likely.value)
    if not queues.source.line and worker.command_line.queues is None:
        # No file of the build says anything else than Open edX does.
        return worker.queues
    problem = queues.source.problem(f"{unknown}: {queues.reason}", remedy)
    raise UserError(problem.replace(resource=problem.resource or worker.resource.ref))


def consumed_queues(resources: Resources, among: Iterable[Resource]) -> dict[str, Resource]:
    """Return the queues that workers ``among`` the resources take, as far as that is known, each with its worker.

    One that has pods comes before one that is kept without.
    """
    queues: dict[str, Resource] = {}
    for worker in workers_of(among):
        try:
            taken = dict.fromkeys(taken_queues(resources, worker) or (), worker.resource)
        except UserError:
            continue
        from kustomizer.openedx.stopped import stopped_by  # noqa: PLC0415 - most sites have no other workers

        queues.update(taken if stopped_by(resources, worker.resource) is None else {**taken, **queues})
    return queues


def _check_stated(resources: Resources, worker: EmittedWorker, queue: str, names: Sequence[str]) -> None:
    """Raise UserError where settings put tasks on other lists than ``names``, those that the configuration states."""
    try:
        known = _lists_of(resources, worker, queue)
    except UserError:
        return
    missing = [name for name in known if name not in names]
    if missing:
        shown = missing[0].replace("\x06\x16", "\\x06\\x16")
        message = f"{worker.deployment} takes tasks from {shown}, too, which nothing would count"
        remedy = "Leave it out: the settings say which lists there are"
        raise UserError.of(message, field="spec.broker.prioritySteps", remedy=remedy)


def queue_name(resources: Resources, worker: EmittedWorker, variant: str) -> str:
    """Return the queue that a variant means by its name: the site's own name for it, or Open edX's.

    Raises UserError where the site computes it.
    """
    usual = f"edx.{worker.service}.core.{variant}"
    celery = own_settings(resources, worker) if variant in NAMED and worker.service in OPEN_EDX_SERVICES else None
    if celery is None:
        return usual
    name = celery.queue_of(variant)
    if name.likely is not None:
        return name.likely.value if isinstance(name.likely.value, str) and name.likely.value else usual
    if not name.source.line:
        return usual
    message = f"what the site calls its queue {usual} isn't known: {name.reason}"
    raise UserError(name.source.problem(message, f"Set spec.workers.{worker.service}.{variant}.queues"))


def redis_lists(
    resources: Resources, worker: EmittedWorker, queue: str, stated: Broker | None = None
) -> tuple[str, ...]:
    """Return the lists in Redis that hold a queue's tasks, without a key prefix: one for each priority in use.

    Who sends a task gives it its priority, and lms and cms send to each other's queues. What the configuration has
    ``stated`` counts. Raises UserError where only a running pod knows them.
    """
    if worker.service not in OPEN_EDX_SERVICES:
        return (queue,)
    if stated is not None and stated.priority_steps is not None:
        from kustomizer.openedx.celery.transport import SEPARATOR, priority_lists  # noqa: PLC0415 - few sites have more than one

        separator = SEPARATOR if stated.priority_separator is None else stated.priority_separator
        names = priority_lists(queue, stated.priority_steps, separator)
        _check_stated(resources, worker, queue, names)
        return names
    lists = _lists_of(resources, worker, queue)
    if lists != (queue,):
        return lists
    other_workers = [other for other in _open_edx_workers(resources, worker) if other.service != worker.service]
    sent_to = dict.fromkeys(name for other in other_workers for name in _lists_of(resources, other, queue))
    if not sent_to.keys() - {queue}:
        return lists
    from kustomizer.openedx.celery.transport import PRIORITY_STEPS, SEPARATOR  # noqa: PLC0415 - as below

    # A worker that is told nothing of priorities looks on these lists, whether tasks have one or not.
    looked_on = {f"{queue}{SEPARATOR}{number}" for number in PRIORITY_STEPS}
    return (*lists, *(name for name in sent_to if name in looked_on))


def _open_edx_workers(resources: Resources, worker: EmittedWorker) -> list[EmittedWorker]:
    key = ("open edx workers", worker.resource.namespace)
    if key not in resources.memo:
        names = [f"{service}-worker" for service in OPEN_EDX_SERVICES]
        found = [item for name in names for item in resources.find("Deployment", name, worker.resource.namespace)]
        resources.memo[key] = [emitted for emitted in workers_of(found) if emitted.command_line.uneditable == ""]
    workers: list[EmittedWorker] = resources.memo[key]
    return workers


def _lists_of(resources: Resources, worker: EmittedWorker, queue: str) -> tuple[str, ...]:
    celery = own_settings(resources, worker)
    if celery is None:
        return (queue,)
    lists = celery.lists_of(queue)
    if lists.likely is not None:
        return tuple(lists.likely.value)
    if not lists.source.line:
        return (queue,)
    message = f"on which lists of Redis tasks of {queue} wait isn't known: {lists.reason}"
    remedy = "Name the priorities in spec.broker.prioritySteps ([0] where tasks have none), and what sep of the "
    remedy += "transport's options is in prioritySeparator"
    raise UserError(lists.source.problem(message, remedy))
