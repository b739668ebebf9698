"""Holds a split to settings by which tasks never get to a worker, or a worker doesn't start with its queues."""

from __future__ import annotations

from kustomizer.config.values import join
from kustomizer.errors import WARNING
from kustomizer.openedx.unheard_tasks import doubt, eager, refusal, undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.errors import Problem
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.celery.view import CeleryView
    from kustomizer.transform.model import Variant


def check_queues(
    resources: Resources, config: CeleryWorkers, celery: CeleryView, variants: Sequence[Variant]
) -> Iterator[Problem]:
    """Yield what is wrong with the workers of a service, and with the queues that the configuration routes to."""
    yield from eager(resources, celery)
    routed = {
        join(join(f"spec.routing.{celery.service}", task), "queue"): (route.queue,)
        for task, route in config.spec.routing.get(celery.service, {}).items()
    }
    named = {f"{variant.path}.queues": variant.queues for variant in variants} | routed
    refused, unknown = undefined(resources, celery, [queue for queues in named.values() for queue in queues])
    if unknown is not None:
        yield doubt(celery, unknown)
    for field, queues in named.items() if refused else ():
        missing = [queue for queue in queues if queue in refused]
        if missing:
            happens = "sending the task fails" if field in routed else "the worker doesn't start"
            message, remedy = refusal(celery, missing)
            yield config.problem(f"{happens}: {message}", remedy, field=field)


def check_default_queue(celery: CeleryView, consumed: Collection[str]) -> Iterator[Problem]:
    """Yield a warning where the site has a default queue of its own, and nobody takes it."""
    queue = celery.default_queue.likely
    if queue is not None and queue.source.resource is not None and queue.value and queue.value not in consumed:
        message = f"tasks of {celery.service} that nothing routes go to {queue.value}, and no worker consumes it"
        remedy = f"Add it to the queues of a worker (spec.workers.{celery.service}), or take CELERY_DEFAULT_QUEUE out"
        yield queue.source.problem(message, remedy, severity=WARNING)
