"""Refuses `livenessProbe: Celery` where it couldn't tell a worker that consumes from one that doesn't."""

from __future__ import annotations

from kustomizer.config.worker import CELERY_PROBE
from kustomizer.errors import UserError
from kustomizer.manifests.tree import list_at, lookup, plain_value
from kustomizer.openedx.consumer_watch import DIRECTORY, OBSERVED_POOLS
from kustomizer.openedx.own_settings import REDIS
from kustomizer.openedx.workers import environment
from kustomizer.transform.pools import pool_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan, Variant


def check_celery_probe(resources: Resources, config: CeleryWorkers, plan: ServicePlan, transport: str) -> None:
    """Raise UserError for each worker of ``plan`` that can't have the probe; ``transport`` is its broker's."""
    problems = [
        config.problem(
            message,
            f"{remedy}, or leave it out of {variant.path} (livenessProbe: null)",
            field=config.origin(variant.service, variant.name, "livenessProbe"),
        )
        for variant in plan.variants
        if variant.settings.liveness_probe == CELERY_PROBE
        for message, remedy in _faults(resources, plan.emitted, variant, transport)
    ]
    if problems:
        raise UserError(*problems)


def _faults(
    resources: Resources, emitted: EmittedWorker, variant: Variant, transport: str
) -> Iterator[tuple[str, str]]:
    if transport not in REDIS:
        yield f"looks at how a worker asks Redis for tasks, and the broker is {transport}", "State a probe of your own"
    container = emitted.container_tree or {}
    pool, _ = pool_of(resources, emitted, variant)
    if pool and pool not in OBSERVED_POOLS:
        yield (
            f"would kill {variant.deployment} in a long task: with --pool={pool} nothing else runs in the meantime",
            "State a probe of your own",
        )
    directory = environment(container, "TMPDIR") or DIRECTORY
    places = [str(lookup(mount, "mountPath")).rstrip("/") for mount in list_at(container, "volumeMounts")]
    if plain_value(lookup(container, "securityContext", "readOnlyRootFilesystem")) is True and directory not in places:
        yield f"needs {directory}, which {emitted.deployment} can't write to", f"Mount an emptyDir at {directory}"
