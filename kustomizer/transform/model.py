"""What a split is to give: the worker Deployments of each service, before anything is changed."""

from __future__ import annotations

from kustomizer.config.worker import DEFAULT
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.config.worker import Worker
    from kustomizer.openedx.workers import EmittedWorker


class Variant(Record):
    """One worker Deployment to be: Tutor's own, or a copy of it."""

    service: str
    name: str
    deployment: str
    queues: tuple[str, ...]
    settings: Worker
    soft_shutdown: bool = False
    """Whether its tasks are put back after a while when the worker is asked to stop."""
    has_autoscaler: bool = False
    """Whether a HorizontalPodAutoscaler sets the number of its pods."""

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
