"""Problems of a split whose worker mounts no settings that ours could replace, or whose broker isn't Redis."""

from __future__ import annotations

from kustomizer.config.worker import CELERY_PROBE
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.own_settings import own_settings
from kustomizer.transform.timeouts import visibility_timeout_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.settings_module import SettingsFile
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan

_LATE = "spec.celery.lateAcknowledgement"
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


def without_settings(config: CeleryWorkers, plan: ServicePlan, file: SettingsFile, reason: str = "") -> list[Problem]:
    """Return the warning that workers get no settings of ours. Raises UserError where the configuration needs them.

    ``reason`` says why the volume that they mount can't hold ours.
    """
    message = f"mounts no {file.config_map}-* for ours to replace"
    mend = f"Mount {file.config_map} in the worker as Tutor does"
    if reason:
        message = f"mounts {file.name} from a volume that ours can't be added to: {reason}"
        mend = f"Give {file.config_map} a volume of its own (configMap), as Tutor does"
    elif not file.is_tutors_package:
        message = f"mounts no ConfigMap at …/{file.package_path}, where {file.module} is loaded from"
        mend = f"Mount one there that holds {file.name}"
    needs = _needs(config, plan)
    if needs:
        message = f"needs settings, but {plan.emitted.deployment} {message}"
        raise UserError(
            *(config.problem(message, f"{mend}, or {otherwise}", field=field) for field, otherwise in needs.items())
        )
    message += ": its workers acknowledge tasks early, so that a worker that is killed loses its tasks"
    return [plan.emitted.resource.problem(message, mend, field="spec.template.spec.volumes", severity=WARNING)]


def _needs(config: CeleryWorkers, plan: ServicePlan) -> dict[str, str]:
    """Return the fields that need settings of ours, each with another way to mend it."""
    leave_out = "leave the field out"
    fields = {}
    for variant in plan.variants:
        where = visibility_timeout_path(config, variant)
        if where:
            fields[where] = leave_out
        if variant.settings.liveness_probe == CELERY_PROBE:
            fields[config.origin(variant.service, variant.name, "livenessProbe")] = leave_out
        keda = variant.settings.keda
        if keda is not None and keda.enabled and keda.in_flight != "Off":
            fields[config.origin(variant.service, variant.name, "keda", "inFlight")] = "set it to Off"
    if config.spec.routing.get(plan.service):
        fields[f"spec.routing.{plan.service}"] = leave_out
    celery = config.spec.celery
    if celery.reject_on_worker_lost is not None:
        fields["spec.celery.rejectOnWorkerLost"] = leave_out
    if celery.soft_shutdown_timeout is not None:
        fields["spec.celery.softShutdownTimeout"] = leave_out
    return fields


def undecided(config: CeleryWorkers, emitted: EmittedWorker, transport: str) -> Problem:
    """Return the error that the configuration has to decide about late acknowledgement."""
    message = f"{emitted.deployment}'s broker is {transport}"
    if transport == "memory":
        message += ": each process has its own, and no task gets to another"
        remedy = "Have BROKER_URL or CELERY_BROKER_URL name a broker that the pods share, as Tutor does; where none is "
        remedy += "meant, set it to false"
    else:
        does, condition = _TRANSPORTS.get(transport, _TRANSPORTS[""])
        message += f", {does}: with late acknowledgement a longer task is run again beside the first run"
        remedy = f"Set it to false (a worker that is killed then loses its tasks), or to true where {condition}"
    return config.problem(message, remedy, field=_LATE)


def unsure_transport(resources: Resources, config: CeleryWorkers, emitted: EmittedWorker) -> list[Problem]:
    """Return the warning that late acknowledgement is right for a Redis, where nothing says that the broker is one."""
    celery = own_settings(resources, emitted)
    broker = None if celery is None else celery.broker
    # Where nothing surely sets it, Tutor's Redis is as likely as ever.
    if not isinstance(broker, Unknown) or broker.may_be_unset or broker.source.default:
        return []
    message = f"what {emitted.deployment}'s broker is isn't known ({broker.reason}, {broker.source}): tasks are "
    message += "acknowledged late, which is right for a Redis; RabbitMQ runs one again that takes longer than its "
    message += "consumer_timeout"
    return [config.problem(message, "Set it to true where the broker is a Redis", field=_LATE, severity=WARNING)]
