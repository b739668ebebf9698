"""Warnings about workers that the build keeps without pods, so that nobody takes their queues."""

from __future__ import annotations

from kustomizer.errors import Problem
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.stopped import Stopped, stopped_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant


def others_without_pods(resources: Resources, left: Mapping[str, Resource]) -> Iterator[Problem]:
    """Yield warnings about queues that only a worker without pods takes; ``left`` has the worker of each queue."""
    for queue, worker in left.items():
        by = stopped_by(resources, worker)
        if by is not None:
            what = f"{worker.ref} alone takes {queue} after the split, and tasks there wait for ever"
            yield by.problem(what, "Take it out, or give the queue a worker in spec.workers")


def split_without_pods(resources: Resources, emitted: EmittedWorker, variants: Sequence[Variant]) -> Iterator[Problem]:
    """Yield a warning where Tutor's worker has no pods, and so the ``variants`` that inherit that."""
    if plain_value(lookup(emitted.resource.tree, "spec", "paused")) is True:
        paused = Stopped(resource=emitted.resource, field="spec.paused", why="leaves what runs as it is")
        everyone = ", ".join(variant.deployment for variant in variants)
        yield paused.problem(f"of {everyone} those that are new start no pod", "Take it out")
    by = stopped_by(resources, emitted.resource)
    if by is None:
        return
    inherited = by.resource is emitted.resource
    names = [
        variant.deployment
        for variant in variants
        if not variant.settings.keda_enabled
        and (variant.settings.replicas is None if inherited else variant.is_default)
    ]
    if names:
        yield by.problem(f"tasks on the queues of {', '.join(names)} wait for ever", "Take it out")
