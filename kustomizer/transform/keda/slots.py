"""How many tasks a worker's pod works on at a time."""

from __future__ import annotations

from kustomizer.errors import UserError
from kustomizer.manifests.digits import whole_number
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import emitted_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant


def slots(
    resources: Resources, config: CeleryWorkers, variant: Variant, deployment: Resource, emitted: EmittedWorker
) -> int:
    """Return how many tasks one pod works on at a time. Raises UserError where that is the node's number of CPUs."""
    number = known_slots(resources, variant, deployment, emitted)
    if number is None:
        message = "inFlight: Slots needs to know how many tasks a pod works on at a time; without --concurrency that "
        message += "is the node's number of CPUs"
        remedy = "Set concurrency, or inFlight: Zero"
        raise UserError(config.problem(message, remedy, field=f"{variant.path}.concurrency"))
    return number


def known_slots(resources: Resources, variant: Variant, deployment: Resource, emitted: EmittedWorker) -> int | None:
    """Return how many tasks one pod works on at a time, None where that is the node's number of CPUs."""
    worker = emitted_in(variant.service, deployment)
    assert worker is not None  # noqa: S101 - it was found to be one before it was split
    if own_settings(resources, emitted) is not None:
        # Variables and settings may say it, too.
        from kustomizer.openedx.celery.view import CeleryView  # noqa: PLC0415 - most sites set nothing of their own

        slots = CeleryView(resources, worker, without_ours=True).concurrency
        return slots.value if hasattr(slots, "value") and type(slots.value) is int else None
    if worker.command_line.option("--pool") == "solo":
        # Whatever --concurrency says (celery/concurrency/solo.py).
        return 1
    autoscale = worker.command_line.option("--autoscale")
    value = autoscale.split(",")[0] if autoscale else worker.command_line.option("--concurrency")
    return (whole_number(value) if value is not None else None) or None
