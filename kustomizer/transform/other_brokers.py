"""What late acknowledgement means with a broker that is no Redis, and has to be decided by whoever knows the broker."""

from __future__ import annotations

from kustomizer.errors import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.workers import EmittedWorker

_RABBITMQ = (
    "which ends a delivery that isn't acknowledged within consumer_timeout (30 minutes unless it is changed)",
    "consumer_timeout is longer than the longest task",
)
_TRANSPORTS = {
    **dict.fromkeys(("amqp", "amqps", "pyamqp", "librabbitmq"), _RABBITMQ),
    "sqs": (
        "which hands a task out again that isn't acknowledged within its queue's visibility timeout (30 minutes unless "
        "visibility_timeout in the transport's options is another one)",
        "that is longer than the longest task (spec.celery.visibilityTimeout; a queue that is there keeps its own)",
    ),
    "": ("which may hand a task out again that isn't acknowledged in time", "it waits for the longest task"),
}


def undecided(config: CeleryWorkers, emitted: EmittedWorker, transport: str) -> Problem:
    """Return the error that the configuration doesn't say what is to happen with late acknowledgement."""
    message = f"{emitted.deployment}'s broker is {transport}"
    if transport == "memory":
        message += ": each process has its own, and no task gets to another"
        remedy = "Have BROKER_URL or CELERY_BROKER_URL name a broker that the pods share, as Tutor does; where none is "
        remedy += "meant, set it to false"
    else:
        does, condition = _TRANSPORTS.get(transport, _TRANSPORTS[""])
        message += f", {does}: with late acknowledgement a longer task is run again beside the first run"
        remedy = f"Set it to false (a worker that is killed then loses its tasks), or to true where {condition}"
    return config.problem(message, remedy, field="spec.celery.lateAcknowledgement")
