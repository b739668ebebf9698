"""Plans the split: which worker consumes which queues, and with which settings. Nothing is changed yet."""

from __future__ import annotations

from kustomizer.config.load import worker_settings
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.values import join
from kustomizer.config.worker import deployment_name
from kustomizer.errors import ERROR, WARNING, Problem, UserError
from kustomizer.manifests.tree import is_null, lookup, number_at, plain_value
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.queue_names import consumed_queues, queue_name, taken_queues
from kustomizer.openedx.shapes import check_shape
from kustomizer.openedx.targeting import autoscalers_by_target
from kustomizer.openedx.workers import emitted_worker, grace_period, pod_template
from kustomizer.transform.deployments import PROBES
from kustomizer.transform.model import ServicePlan, Variant
from kustomizer.transform.timeouts import check_timeouts, site_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.config.worker import Worker
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.workers import EmittedWorker

# A rollout, a node's drain or KEDA's scale-in stops pods. With late acknowledgement a task that is cut off is run again
# from its start, so the pod waits for it. 600 s is what the cluster autoscaler grants by default
# (--max-graceful-termination-sec), and longer than any task of Open edX's short queues.
_GRACE_PERIOD = 600
# The tasks of high_mem, grade and problem response reports, run for up to an hour on a large site. The visibility
# timeout is above the grace period, or a task that still runs would be delivered a second time.
_REPORTS_GRACE_PERIOD = 3600
_REPORTS_VISIBILITY_TIMEOUT = 7200

# A worker that KEDA scales runs on nodes that come and go: a drain evicts one pod at a time, and an autoscaler of nodes
# evicts none.
_SCALED = {"podDisruptionBudget": {"maxUnavailable": 1}, "protectFromEviction": True}


def builtin_settings(
    service: str, variant: str, *, is_scaled: bool = False, emitted_grace_period: int = 0
) -> dict[str, object]:
    """Return the default settings of this kind of worker, spelled as in the configuration.

    A grace period (seconds) that somebody patched into Tutor's Deployment isn't shortened.
    """
    scaled = _SCALED if is_scaled else {}
    if service not in OPEN_EDX_SERVICES:
        return {**scaled}
    if (service, variant) == ("lms", "high_mem"):
        return {
            "terminationGracePeriodSeconds": max(_REPORTS_GRACE_PERIOD, emitted_grace_period),
            "visibilityTimeout": _REPORTS_VISIBILITY_TIMEOUT,
            # The cluster autoscaler grants 600 s, whatever the pod asks for.
            "protectFromEviction": True,
            **scaled,
        }
    return {"terminationGracePeriodSeconds": max(_GRACE_PERIOD, emitted_grace_period), **scaled}


def plan(resources: Resources, config: CeleryWorkers) -> tuple[list[ServicePlan], list[Problem]]:
    """Return the split of each configured service, and warnings.

    Raises UserError for a service without a worker, and for queues that no worker would consume.
    """
    problems: list[Problem] = []
    plans: list[ServicePlan] = []
    # The queues of workers that the configuration doesn't name, each with one such worker.
    named = {deployment_name(service, name) for service in config.services() for name in config.variants(service)}
    unnamed = (item for item in resources if item.kind != "Deployment" or item.name not in named)
    consumers = consumed_queues(resources, unnamed)
    for service in config.spec.workers:
        try:
            emitted = emitted_worker(resources, service)
            check_shape(emitted)
            service_plan, warnings = _split(resources, config, emitted, consumers)
        except UserError as error:
            problems += [problem.replace(resource=problem.resource or config.ref) for problem in error.problems]
            continue
        plans.append(service_plan)
        problems += warnings
    problems += check_timeouts(resources, config, plans)
    if len(plans) == len(config.spec.workers):
        problems += _unserved_routes(config, plans, consumers)
        problems += _shared_queues(resources, config, plans, consumers)
    errors = [problem for problem in problems if problem.severity != WARNING]
    if errors:
        raise UserError(*errors)
    return plans, problems


def _split(
    resources: Resources, config: CeleryWorkers, emitted: EmittedWorker, others: Mapping[str, Resource]
) -> tuple[ServicePlan, list[Problem]]:
    service = emitted.service
    autoscalers = autoscalers_by_target(resources, emitted.resource)
    variants = [_variant(resources, config, emitted, name, autoscalers) for name in config.variants(service)]
    variables: frozenset[str] = frozenset()
    if emitted.resource.mentions("CELERY_WORKER_") or emitted.resource.mentions("envFrom"):
        from kustomizer.transform.worker_variables import variables_of, without_rivals  # noqa: PLC0415 - hardly any site has one

        variables = variables_of(resources, emitted)
        variants = [without_rivals(variant, variables) for variant in variants]
    assigned = {
        queue
        for split in config.services()
        for variant in config.variants(split)
        for queue in (config.queues(split, variant) if split != service else ())
    }
    assigned |= {queue for variant in variants for queue in variant.queues}
    emitted_queues = taken_queues(resources, emitted) or ()
    policy = config.spec.unassigned_queues
    # One that is stopped for a while is warned of; the default worker takes what it leaves.
    served = _with_pods(resources, others) if policy == "KeepOnDefault" else others
    # To a name that is empty, behind a comma at the end, no task gets.
    orphans = tuple(queue for queue in emitted_queues if queue and queue not in assigned and queue not in served)
    problems = [problem for variant in variants for problem in _resources(config, emitted, variant)]
    if not all(variant.settings.resources for variant in variants):
        problems += _emitted_resources(emitted)
    elsewhere = [queue for queue in emitted_queues if queue in others and queue not in {*assigned, *orphans}]
    queues_left = {queue: others[queue] for queue in elsewhere}
    emitted_spec = lookup(emitted.resource.tree, "spec")
    if queues_left or autoscalers or number_at(emitted_spec, "replicas") == 0 or lookup(emitted_spec, "paused"):
        from kustomizer.transform.without_pods import others_without_pods, split_without_pods  # noqa: PLC0415 - as above

        problems += others_without_pods(resources, queues_left)
        problems += split_without_pods(resources, emitted, variants)
    if orphans and policy == "KeepOnDefault":
        variants[0] = variants[0].replace(queues=(*variants[0].queues, *orphans))
    elif orphans:
        # Celery takes blanks for a part of a name.
        queues = ", ".join(queue if queue and queue == queue.strip() else repr(queue) for queue in orphans)
        message = f"after the split no worker would consume {queues}: tasks there would wait for ever"
        remedy = "Give each a worker here or list it in another worker's queues, or set "
        remedy += "spec.unassignedQueues: KeepOnDefault"
        severity = WARNING if policy == "Ignore" else ERROR
        problems.append(config.problem(message, remedy, field=join("spec.workers", service), severity=severity))
    celery = own_settings(resources, emitted)
    if celery is not None:
        from kustomizer.transform.early_tasks import check_early  # noqa: PLC0415 - as below
        from kustomizer.transform.overruled import check_overruled  # noqa: PLC0415 - as below
        from kustomizer.transform.silent_workers import check_answers  # noqa: PLC0415 - as below
        from kustomizer.transform.unheard_tasks import check_default_queue, check_queues  # noqa: PLC0415 - most sites set nothing of their own

        problems += [*check_queues(resources, config, celery, variants), *check_early(config, celery)]
        problems += [*check_answers(config, celery), *check_overruled(celery)]
        problems += check_default_queue(celery, {*assigned, *others, *variants[0].queues})
    if _may_name_nodes(emitted):
        from kustomizer.transform.node_names import node_names  # noqa: PLC0415 - Tutor's name has the pod's in it

        problems += node_names(config, emitted, variants)
    return ServicePlan(emitted=emitted, variants=variants, variables=variables), problems


def _may_name_nodes(emitted: EmittedWorker) -> bool:
    """Tell whether a worker has a name among Celery's nodes that several pods may have, or that something asks for."""
    container = emitted.container_tree
    is_named = (
        not emitted.command_line.names_host
        or emitted.resource.mentions("CELERY_WORKER_HOSTNAME")
        or lookup(pod_template(emitted.resource), "spec", "hostname")
    )
    return is_named or any(lookup(container, field) is not None for field in PROBES)


def _resources(config: CeleryWorkers, emitted: EmittedWorker, variant: Variant) -> list[Problem]:
    """Return the problems of requests and limits that don't fit those of Tutor's worker, which they are merged with."""
    stated = variant.settings.resources
    if not stated:
        return []
    from kustomizer.config.layers import merge_maps  # noqa: PLC0415 - many configurations have none
    from kustomizer.manifests.amounts import faults_beside_pods, resource_faults  # noqa: PLC0415 - as above

    container = emitted.container_tree
    present = plain_value(lookup(container, "resources"))
    of_pod = lookup(pod_template(emitted.resource), "spec", "resources")
    merged = merge_maps(present if isinstance(present, dict) else {}, stated)
    beside = f" (with those of Deployment {emitted.deployment}, which Tutor or a plugin sets)" if present else ""
    field = config.origin(variant.service, variant.name, "resources")
    both = f"State both in {variant.path}.resources: "
    problems = [
        config.problem(f"{message}{beside}", f"{both}{remedy.lower()}", field=field)
        for _, message, remedy in resource_faults(merged, whole=True)
    ]
    return problems + [
        config.problem(f"{message} in {emitted.resource.ref}", remedy, field=field)
        for _, message, remedy in faults_beside_pods(merged, of_pod)
    ]


def _emitted_resources(emitted: EmittedWorker) -> list[Problem]:
    """Return the problems of the requests and limits that Tutor's worker has, and its copies get."""
    stated = lookup(emitted.container_tree, "resources")
    if not isinstance(stated, dict):
        return []
    from kustomizer.manifests.amounts import resource_faults  # noqa: PLC0415 - Tutor's own worker has none

    # As they are written: to read 0.5 as a number takes modules that most sites need for nothing else.
    present = {
        section: {name: str(value) for name, value in stated[section].items() if not is_null(value)}
        for section in ("requests", "limits")
        if isinstance(stated.get(section), dict)
    }
    path = f"{emitted.field}.resources"
    instead = ", where Tutor or a plugin sets it, or state both in spec.defaults.resources"
    return [
        emitted.resource.problem(message, f"{remedy}{instead}", field=f"{path}.{field}")
        for field, message, remedy in resource_faults(present, whole=True)
    ]


def _variant(
    resources: Resources,
    config: CeleryWorkers,
    emitted: EmittedWorker,
    name: str,
    autoscalers: Mapping[str, Sequence[Resource]],
) -> Variant:
    service = emitted.service
    deployment = deployment_name(service, name)
    # If an earlier run made the copy, its own grace period counts: that of Tutor's worker may have changed since.
    present = resources.get(("apps", "Deployment", emitted.resource.namespace, deployment)) or emitted.resource
    is_scaled = (service, name) in config.scaled
    builtin = builtin_settings(service, name, is_scaled=is_scaled, emitted_grace_period=grace_period(present))
    if "visibilityTimeout" in builtin:
        # Long tasks need the longer of the two; where only a running pod knows the site's, that stays.
        site_seconds = site_timeout(resources, emitted)
        builtin["visibilityTimeout"] = None if site_seconds is None else max(_REPORTS_VISIBILITY_TIMEOUT, site_seconds)
    settings = worker_settings(config, service, name, builtin=builtin)
    hpa = "HorizontalPodAutoscaler"
    own_autoscalers = autoscalers.get(emitted.deployment, ()) if hpa in config.spec.copy_targeting else ()
    is_copied = any(autoscaler.kind == hpa for autoscaler in own_autoscalers)
    return Variant(
        service=service,
        name=name,
        deployment=deployment,
        queues=_queues(resources, config, emitted, name, settings),
        settings=settings,
        soft_shutdown=service in OPEN_EDX_SERVICES and config.spec.celery.soft_shutdown_timeout is not None,
        has_autoscaler=deployment in autoscalers or is_copied,
    )


def _queues(
    resources: Resources, config: CeleryWorkers, emitted: EmittedWorker, name: str, settings: Worker
) -> tuple[str, ...]:
    own = config.spec.workers[emitted.service].get(name)
    if own is not None and own.queues is not None:
        return tuple(own.queues)
    if emitted.service in OPEN_EDX_SERVICES:
        return (queue_name(resources, emitted, name),)
    return tuple(settings.queues or (f"edx.{emitted.service}.core.{name}",))


def _unserved_routes(
    config: CeleryWorkers, plans: Sequence[ServicePlan], others: Mapping[str, Resource]
) -> list[Problem]:
    consumed = {*others, *(queue for plan in plans for variant in plan.variants for queue in variant.queues)}
    remedy = f"Name a queue that is consumed ({', '.join(sorted(consumed))}), or add a worker for it"
    return [
        config.problem(
            f"no worker of this build consumes {route.queue}: the task would wait for ever",
            remedy,
            field=join(join(f"spec.routing.{service}", task), "queue"),
        )
        for service, routes in config.spec.routing.items()
        for task, route in routes.items()
        if route.queue not in consumed
    ]


def _shared_queues(
    resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan], others: Mapping[str, Resource]
) -> list[Problem]:
    """Return warnings about queues that a worker of another service, or one that isn't ours, consumes, too."""
    problems = []
    worker_of = {queue: str(worker.ref) for queue, worker in _with_pods(resources, others).items()}
    for plan in plans:
        problems += [
            config.problem(
                f"{worker_of[queue]} consumes {queue}, too: chance decides which of the two gets a task",
                "Leave the queue to the workers of one service",
                field=f"{variant.path}.queues",
                severity=WARNING,
            )
            for variant in plan.variants
            for queue in variant.queues
            if queue in worker_of
        ]
        worker_of |= {
            queue: f"Deployment {variant.deployment}" for variant in plan.variants for queue in variant.queues
        }
    return problems


def _with_pods(resources: Resources, others: Mapping[str, Resource]) -> Mapping[str, Resource]:
    """Return the queues whose workers aren't kept without pods."""
    if not others:
        return others
    from kustomizer.openedx.stopped import stopped_by  # noqa: PLC0415 - most sites have no other workers

    workers = {id(worker): worker for worker in others.values()}
    running = {key for key, worker in workers.items() if stopped_by(resources, worker) is None}
    return {queue: worker for queue, worker in others.items() if id(worker) in running}
