"""Checks that times fit each other: when Redis delivers a running task again, and how long a pod may finish."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import ERROR, WARNING, Problem, UserError
from kustomizer.manifests.tree import text_at
from kustomizer.openedx.own_settings import REDIS, own_settings, transport
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT, emitted_worker, grace_period, pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan, Variant


PROTECTION = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
"""The annotations by which the cluster autoscaler and Karpenter leave a pod alone."""
CLUSTER_AUTOSCALERS_GRACE = 600
"""Seconds that the cluster autoscaler grants a pod that it moves, whatever the pod asks for
(``--max-graceful-termination-sec``)."""


def check_timeouts(resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan]) -> list[Problem]:
    """Return problems with the times of lms and cms; of another application the settings aren't known."""
    split = [plan for plan in plans if plan.service in OPEN_EDX_SERVICES]
    # Other brokers have other ways to hand a task out again, or none.
    on_redis = [plan for plan in split if transport(resources, plan.emitted) in REDIS]
    emitted = _emitted_timeouts(resources, on_redis)
    problems = shared_key_problems(config, [plan.variants[0] for plan in on_redis], emitted)
    problems += [problem for plan in on_redis for problem in _no_number(resources, plan)]
    for plan in split:
        for variant in plan.variants:
            seconds = variant.settings.termination_grace_period_seconds or grace_period(plan.emitted.resource)
            timeout = _visibility_timeout(variant, emitted) if plan in on_redis else None
            problems += grace_period_problems(config, variant, seconds, timeout, emitted=plan.emitted)
    return problems


def site_timeout(resources: Resources, worker: EmittedWorker) -> int | None:
    """Return the visibility timeout that the site gives a worker, or Celery's; None where only a running pod knows."""
    celery = own_settings(resources, worker)
    return CELERYS_VISIBILITY_TIMEOUT if celery is None else celery.visibility_seconds


def _no_number(resources: Resources, plan: ServicePlan) -> Iterator[Problem]:
    """Yield a warning where the site's visibility timeout is one that Celery can't count with."""
    celery = own_settings(resources, plan.emitted)
    known = celery.visibility_timeout.likely if celery is not None else None
    if known is None or isinstance(known.value, (int, float)):
        return
    unstated = [variant.deployment for variant in plan.variants if variant.settings.visibility_timeout is None]
    if unstated:
        # kombu takes it off a number of seconds (restore_visible in kombu/transport/redis.py).
        message = f"visibility_timeout is {known.value!r}, which is no number: what a killed pod of "
        message += f"{', '.join(unstated)} had in hand is never handed out again"
        remedy = "Write it as a number of seconds, without quotes, or set spec.celery.visibilityTimeout"
        yield known.source.problem(message, remedy, severity=WARNING)


def _emitted_timeouts(resources: Resources, plans: Sequence[ServicePlan]) -> dict[str, int | None]:
    """Return each service's visibility timeout without the configuration: its settings', or Celery's.

    It is None where only a running pod knows it, and where the settings have one that never ends.
    """
    timeouts: dict[str, int | None] = dict.fromkeys(OPEN_EDX_SERVICES, CELERYS_VISIBILITY_TIMEOUT)
    if not plans:
        return timeouts
    split = {plan.service: plan.emitted for plan in plans}
    for service in timeouts:
        try:
            worker = split.get(service) or emitted_worker(resources, service)
        except UserError:
            # There is none, or none that can be read: nothing to compare with.
            continue
        timeouts[service] = site_timeout(resources, worker)
    return timeouts


def _visibility_timeout(variant: Variant, emitted: Mapping[str, int | None]) -> int | None:
    return variant.settings.visibility_timeout or emitted[variant.service]


def shared_key_problems(
    config: CeleryWorkers, defaults: Sequence[Variant], emitted: Mapping[str, int | None]
) -> list[Problem]:
    """Return a problem where default workers, which share an in-flight key, have different visibility timeouts.

    The shortest timeout counts for all tasks of a key in Redis. A service that isn't split has the one of Tutor's
    output.
    """
    timeouts = {**emitted, **{variant.service: _visibility_timeout(variant, emitted) for variant in defaults}}
    if not defaults or len(set(timeouts.values())) == 1 or None in timeouts.values():
        return []
    changed = [variant for variant in defaults if timeouts[variant.service] != CELERYS_VISIBILITY_TIMEOUT]
    own = (changed or defaults)[0]
    second = next((variant for variant in defaults if variant is not own), None)
    if second is not None:
        rival, seconds = second.service, timeouts[second.service]
        remedy = f"Give {second.path} the same visibilityTimeout, or the long tasks a worker of their own"
    else:
        unsplit = next(service for service in OPEN_EDX_SERVICES if service != own.service)
        rival, seconds = f"{unsplit}, which isn't split", timeouts[unsplit]
        remedy = f"Split {unsplit} with the same visibilityTimeout, too, or give the long tasks a worker of their own"
    message = f"the default worker shares Celery's in-flight key with that of {rival}; of {timeouts[own.service]} s "
    message += f"and {seconds} s the shorter counts for both: what runs longer is run twice"
    # Where the site itself has two, it is so without a split, too.
    is_ours = any(visibility_timeout_path(config, variant) for variant in defaults)
    severity = ERROR if second is not None and is_ours else WARNING
    return [config.problem(message, remedy, field=visibility_timeout_path(config, own), severity=severity)]


def visibility_timeout_path(config: CeleryWorkers, variant: Variant) -> str:
    """Return the field that sets the worker's visibility timeout, empty where the configuration doesn't."""
    own = config.spec.workers[variant.service].get(variant.name)
    if (own and own.visibility_timeout) or config.spec.defaults.visibility_timeout:
        return config.origin(variant.service, variant.name, "visibilityTimeout")
    return "spec.celery.visibilityTimeout" if config.spec.celery.visibility_timeout else ""


def grace_period_problems(
    config: CeleryWorkers, variant: Variant, seconds: int, timeout: int | None, emitted: EmittedWorker | None = None
) -> list[Problem]:
    """Return warnings about a worker whose pods get ``seconds`` to finish, with Redis' visibility ``timeout``.

    ``emitted`` is Tutor's worker, where there is a build.
    """
    field = config.origin(variant.service, variant.name, "terminationGracePeriodSeconds")
    problems = []

    get = f"pods of {variant.deployment} get {seconds} s to finish a task"
    if timeout is not None and seconds > timeout:
        message = f"{get}, which Redis delivers again after {timeout} s: it is run twice"
        remedy = f"Set {variant.path}.visibilityTimeout above {seconds}"
        problems.append(config.problem(message, remedy, field=field, severity=WARNING))
    if seconds > CLUSTER_AUTOSCALERS_GRACE and not _is_protected(variant, emitted):
        message = f"{get}, but the cluster autoscaler grants {CLUSTER_AUTOSCALERS_GRACE} s when it removes a node"
        remedy = f"Set {variant.path}.protectFromEviction: true"
        problems.append(config.problem(message, remedy, field=field, severity=WARNING))
    soft = config.spec.celery.soft_shutdown_timeout
    if soft is not None and seconds and soft >= seconds:
        message = f"pods of {variant.deployment} are killed after {seconds} s, before the {soft} s of the soft "
        message += "shutdown are over: unfinished tasks aren't put back"
        remedy = f"Set it below {seconds}, or raise {field}"
        problems.append(config.problem(message, remedy, field="spec.celery.softShutdownTimeout", severity=WARNING))
    return problems


def _is_protected(variant: Variant, emitted: EmittedWorker | None) -> bool:
    """Tell whether who takes nodes away, the cluster autoscaler or Karpenter in its place, leaves the pods alone."""
    template = None if emitted is None else pod_template(emitted.resource)
    own = variant.settings.pod_annotations or {}
    return bool(variant.settings.protect_from_eviction) or any(
        own.get(name, text_at(template, "metadata", "annotations", name)) == value for name, value in PROTECTION.items()
    )
