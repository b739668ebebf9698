"""The plan of a split: the worker Deployments of each service, before anything is changed."""

from __future__ import annotations

from kustomizer.config.worker import DEFAULT, max_replicas
from kustomizer.manifests.tree import is_null, lookup, number_at
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.config.worker import Worker
    from kustomizer.openedx.workers import EmittedWorker


class Variant(Record):
    """One worker Deployment of the plan: Tutor's own, or a copy of it."""

    service: str
    name: str
    deployment: str
    queues: tuple[str, ...]
    settings: Worker
    soft_shutdown: bool = False
    """Whether unfinished tasks are put back a while after the worker is asked to stop."""
    has_autoscaler: bool = False
    """Whether an autoscaler that isn't ours sets the number of its pods."""
    unset_variables: frozenset[str] = frozenset()
    """Variables of Tutor's worker that would override what the configuration says of this one."""

    @property
    def is_default(self) -> bool:
        """Whether this is the Deployment that Tutor emits."""
        return self.name == DEFAULT

    @property
    def unacked_suffix(self) -> str:
        """The suffix of the worker's own in-flight keys.

        Empty for the default worker: it keeps Celery's keys, and restores what pods from before the split left there.
        """
        return "" if self.is_default else f".{self.deployment}"

    @property
    def path(self) -> str:
        """The worker's path in the configuration."""
        return f"spec.workers.{self.service}.{self.name}"


def has_one_pod(emitted: EmittedWorker, variant: Variant) -> bool:
    """Tell whether a worker has exactly one pod, but for a rollout's moments."""
    return _pods(emitted, variant) == (1, 1)


def may_have_no_pod(emitted: EmittedWorker, variant: Variant) -> bool:
    """Tell whether the configuration lets a worker have no pod."""
    return _pods(emitted, variant)[0] == 0


def _pods(emitted: EmittedWorker, variant: Variant) -> tuple[float | None, float | None]:
    """Return the least and the greatest number of a worker's pods, each None where the build doesn't say it."""
    keda = variant.settings.keda
    if variant.settings.keda_enabled and keda is not None:
        if keda.paused_replicas is not None:
            return keda.paused_replicas, keda.paused_replicas
        least = (keda.min_replicas or 0) if keda.idle_replicas is None else 0
        return least, None if keda.paused else max_replicas(keda, variant.name)
    if variant.has_autoscaler:
        return None, None
    stated = lookup(emitted.resource.tree, "spec", "replicas")
    number = 1 if is_null(stated) else number_at(stated)
    replicas = variant.settings.replicas if variant.settings.replicas is not None else number
    return replicas, replicas


class ServicePlan(Record):
    """A service whose worker is split, and the Deployments that it is split into."""

    emitted: EmittedWorker
    variants: Sequence[Variant]
    variables: frozenset[str] = frozenset()
    """Variables of Tutor's worker that Celery's command takes for options."""

    @property
    def service(self) -> str:
        """The service's name."""
        return self.emitted.service
