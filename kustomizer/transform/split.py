"""Splits a service's worker: restricts Tutor's, adds copies, and gives each the settings that a split needs."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import CELERY_PROBE
from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import Resource, same_object
from kustomizer.manifests.tree import clone, is_null, lookup
from kustomizer.openedx.own_settings import REDIS, transport
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX, CelerySettings, config_map, render, settings_file
from kustomizer.openedx.settings_source import SettingsSource, find_source
from kustomizer.openedx.settings_volume import find_volume, mount_ours, obstacle, settled
from kustomizer.openedx.targeting import is_known, is_placed, targeting
from kustomizer.openedx.workers import DISKS, emitted_in, pod_template
from kustomizer.record import Record
from kustomizer.transform.deployments import configure, copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.settings_module import SettingsFile
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan, Variant
    from kustomizer.transform.scheduler import Once


# Stands in a worker whose pods can't all be anywhere.
_OF_ONE_NODE = (
    *("persistentVolumeClaim", "hostPort", "hostNetwork", "ipAddrs", "ovn.kubernetes.io/", "cni.cncf.io"),
    # Devices have their maker's name in front.
    *("resourceClaimName", "hugepages-", ".com/"),
    # What a worker writes there, more than one may.
    *("hostPath", "nfs", "csi", "cephfs", "azureFile", "glusterfs"),
    *("nodeName", "kubernetes.io/hostname", "matchFields"),
    *DISKS,
)


# Kinds that select no pods, and may name a Deployment: for kubectl in a command, by resourceNames, in an expression.
_NAMING = frozenset({"CronJob", "Job", "PrometheusRule", "Role"})


# Kinds in which the worker's name is only text. A large site's are most of its text.
_DATA = frozenset({"ConfigMap", "Secret"})


class _Settings(Record):
    """The settings file of a service whose workers load ours, and where it comes from."""

    file: SettingsFile
    source: SettingsSource
    transport: str = "redis"
    """What kind of broker Celery connects to, empty where only a running pod knows."""


def split(resources: Resources, config: CeleryWorkers, plan: ServicePlan) -> list[Problem]:
    """Split the worker of ``plan`` in ``resources``. Returns warnings; raises UserError for what can't be done."""
    emitted = plan.emitted
    settings, notes = _settings(resources, config, plan)
    if any(variant.settings.liveness_probe == CELERY_PROBE for variant in plan.variants):
        from kustomizer.transform.celery_probe import check_celery_probe  # noqa: PLC0415 - few sites have it

        check_celery_probe(resources, config, plan, settings.transport if settings else "")
    notes += _shell_notes(emitted)
    runs_once = _once(resources, plan)
    if runs_once is not None:
        from kustomizer.transform.scheduler import add_scheduler, check, leave_out  # noqa: PLC0415 - few sites have one

        notes += check(config, plan, runs_once)
    default, *others = plan.variants
    copies: list[tuple[Resource, Resource | None]] = []
    conflicts = []
    for variant in others:
        new = copy(emitted, variant)
        worker = emitted
        if runs_once is not None:
            leave_out(new.edit(), emitted_in(variant.service, new) or emitted, runs_once)
            # Its place among the containers may be another one now.
            worker = emitted_in(variant.service, new) or emitted
        present = resources.get(new.identity)
        ours = _config_map(config, variant, settings, owner=present or new)
        if present is None:
            _mount(resources, new.edit(), worker, settings, ours)
        elif not _is_settled(resources, present, variant, settings, ours):
            conflicts.append(_conflict(present, variant))
        copies.append((present or new, ours))
    if conflicts:
        raise UserError(*conflicts)
    if runs_once is not None and runs_once.has_scheduler and config.spec.scheduler and config.spec.scheduler.enabled:
        add_scheduler(resources, config, emitted, runs_once)
        leave_out(emitted.resource.edit(), emitted, runs_once, purge=False)
        emitted = emitted_in(emitted.service, emitted.resource) or emitted
    configure(emitted.resource.edit(), emitted, default)
    defaults = _config_map(config, default, settings, owner=emitted.resource)
    _mount(resources, emitted.resource.edit(), emitted, settings, defaults)
    for deployment, ours in ((emitted.resource, defaults), *copies):
        if resources.get(deployment.identity) is None:
            resources.add(deployment, after=emitted.resource)
        if ours is not None and settled(resources, ours) is ours:
            resources.add(ours, after=emitted.resource)
    if copies:
        notes += _left_out(resources, config, plan, [deployment for deployment, _ in copies])
    return notes


def _is_data(resource: Resource) -> bool:
    return resource.kind in _DATA and is_known(resource)


def _left_out(
    resources: Resources, config: CeleryWorkers, plan: ServicePlan, copies: Sequence[Resource]
) -> list[Problem]:
    """Copy what targets the worker for its copies, and return warnings about what works for the worker alone."""
    worker = plan.emitted.resource
    notes: list[Problem] = []
    originals = targeting(resources, worker)
    if originals:
        from kustomizer.transform.copy_targeting import follow  # noqa: PLC0415 - a plain site has none

        notes += follow(resources, config, plan, originals, copies)
    naming = [item for item in resources if not _is_data(item) and item.mentions(worker.name)]
    others = [item for item in naming if not is_known(item)]
    if "Service" in config.spec.copy_targeting:
        # Copies of a Service have labels of their own.
        others += [item for item in naming if item.kind == "ServiceMonitor"]
    others += [item for item in naming if item.kind in _NAMING]
    ours = {worker.name, *(copy.name for copy in copies)}
    others += [item for item in naming if item.name not in ours and is_placed(item)]
    # Its tree has been edited, and its text says what came in, where it wasn't read as a whole.
    text = worker.text or str(worker.tree)
    on_a_node = any(word in text for word in _OF_ONE_NODE)
    exempting = [item for item in originals if item.mentions("NotIn")]
    if others or exempting:
        from kustomizer.transform.copy_hazards import hazards  # noqa: PLC0415 - as above

        notes += hazards(others, exempting, worker, copies)
    if on_a_node:
        from kustomizer.transform.node_hazards import node_hazards  # noqa: PLC0415 - as above

        notes += node_hazards(resources, plan.emitted, plan.variants[1:])
    return notes


def _shell_notes(emitted: EmittedWorker) -> list[Problem]:
    if emitted.command_line.script is None and not emitted.command_line.wrapper:
        return []
    from kustomizer.transform.shells import check_shell  # noqa: PLC0415 - hardly any worker is started by a shell

    return check_shell(emitted)


def _once(resources: Resources, plan: ServicePlan) -> Once | None:
    """Return what runs in the worker's pod and may run in one pod only, None where there is nothing of the kind."""
    emitted = plan.emitted
    containers = lookup(pod_template(emitted.resource), "spec", "containers") or ()
    line = emitted.command_line
    if not (
        len(containers) > 1
        or not is_null(lookup(pod_template(emitted.resource), "spec", "initContainers"))
        or line.has("--beat")
        or line.has("--purge")
        or plan.variables
    ):
        return None
    from kustomizer.transform.scheduler import once  # noqa: PLC0415 - few sites have one

    return once(resources, emitted, plan.variables)


def _settings(resources: Resources, config: CeleryWorkers, plan: ServicePlan) -> tuple[_Settings | None, list[Problem]]:
    emitted = plan.emitted
    if emitted.service not in OPEN_EDX_SERVICES:
        return None, []
    file = settings_file(emitted.service, config.spec.settings.modules)
    template = pod_template(emitted.resource) or {}
    volume = find_volume(template, file, container=emitted.container)
    if volume is None:
        from kustomizer.transform.needed_settings import without_settings  # noqa: PLC0415 - Tutor's workers mount them

        return None, without_settings(config, plan, file)
    source = find_source(resources, file, emitted.resource.namespace, volume)
    reason = obstacle(template, volume, file, source, container=emitted.container)
    if reason and "configMap" not in volume.tree and not volume.is_ours:
        from kustomizer.transform.needed_settings import without_settings  # noqa: PLC0415 - as above

        return None, without_settings(config, plan, file, reason)
    if reason:
        message = f"the worker can't load the settings that a split needs: {reason}"
        remedy = f"Mount {file.config_map} as Tutor does, name the module that the worker loads in "
        remedy += f"spec.settings.modules.{emitted.service}, or leave {emitted.service} out of spec.workers"
        raise UserError(emitted.resource.problem(message, remedy, field="spec.template.spec"))
    broker = config.spec.broker
    # Where the build doesn't tell it and the configuration says where the broker is, that is a Redis.
    kind = transport(resources, emitted) or ("redis" if broker is not None and broker.is_located else "")
    # KEDA's own step refuses the broker.
    is_scaled = any(variant.settings.keda_enabled for variant in plan.variants)
    if kind not in REDIS and config.spec.celery.late_acknowledgement is None and not is_scaled:
        from kustomizer.transform.needed_settings import undecided  # noqa: PLC0415 - Tutor's is a Redis

        raise UserError(undecided(config, emitted, kind))
    warnings = []
    if not kind and config.spec.celery.late_acknowledgement is None:
        from kustomizer.transform.needed_settings import unsure_transport  # noqa: PLC0415 - as above

        warnings = unsure_transport(resources, config, emitted)
    return _Settings(file=file, source=source, transport=kind), warnings


def _mount(
    resources: Resources,
    tree: dict[str, Any],
    worker: EmittedWorker,
    settings: _Settings | None,
    ours: Resource | None,
) -> None:
    template = tree["spec"]["template"]
    volume = find_volume(template, settings.file, container=worker.container) if settings is not None else None
    if settings is not None and ours is not None and volume is not None:
        name = settled(resources, ours).name
        mount_ours(template, volume, settings.file, config_map=name, source=settings.source)


def _config_map(
    config: CeleryWorkers, variant: Variant, settings: _Settings | None, *, owner: Resource
) -> Resource | None:
    if settings is None:
        return None
    celery = config.spec.celery
    # RabbitMQ has neither Redis' in-flight keys nor its visibility timeout, SQS a timeout alone.
    is_redis = settings.transport in REDIS
    worker = CelerySettings(
        unacked_suffix=variant.unacked_suffix if is_redis else "",
        visibility_timeout=variant.settings.visibility_timeout if is_redis or settings.transport == "sqs" else None,
        late=celery.late_acknowledgement is not False,
        reject_on_worker_lost=celery.reject_on_worker_lost,
        retry_on_worker_lost=celery.retry_on_worker_lost,
        soft_shutdown_timeout=celery.soft_shutdown_timeout,
        is_watched=variant.settings.liveness_probe == CELERY_PROBE,
    )
    routing: dict[str, str] = {}
    if config.spec.routing:
        from kustomizer.transform.routing import routing_to_add  # noqa: PLC0415 - most sites route nothing

        routing = routing_to_add(config, settings.file, settings.source.resource)
    text = render(settings.file, routing=routing, worker=worker)
    name = f"{variant.deployment}{CONFIG_MAP_SUFFIX}"
    # Outer layers patch the default workers' ConfigMaps, and guards look for them: kustomize names these.
    is_named = not variant.is_default and config.spec.settings.names == "Function"
    annotations = config.spec.settings.annotations
    return config_map(name, settings.file, text, owner=owner, annotations=annotations, is_named=is_named)


def _is_settled(
    resources: Resources, present: Resource, variant: Variant, settings: _Settings | None, ours: Resource | None
) -> bool:
    """Tell whether ``present`` is a copy that an earlier run made, and this run would change nothing in it.

    It can't be compared with a new copy: Tutor's own worker has been restricted since.
    """
    candidate = Resource.new(clone(present.tree), indent=present.indent)
    worker = emitted_in(variant.service, candidate)
    if worker is None:
        return False
    configure(candidate.edit(), worker, variant)
    _mount(resources, candidate.edit(), worker, settings, ours)
    return same_object(candidate.tree, present.tree)


def _conflict(present: Resource, variant: Variant) -> Problem:
    message = f"the build already has this Deployment, and it differs from the copy that {variant.path} asks for"
    remedy = (
        "Turn off the plugin that emits it (tutor-contrib-celery does: `tutor plugins disable celery`), "
        f"or give the worker another name than {variant.name}"
    )
    # Not by its text, where an escape may hide a letter.
    if f"{variant.deployment}{CONFIG_MAP_SUFFIX}" in str(present.tree):
        message += ": another configuration made it, or this one before it was changed"
        remedy = "Let one configuration split the site, once: put into it what the two say"
    return present.problem(message, remedy, field="metadata.name")
