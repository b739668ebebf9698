"""Adds the program that puts back what killed workers left in flight (``spec.celery.restoreOrphans``).

It is a Deployment, not a CronJob: two looks have to be apart, a pod for each of them would load the image's Python and
be scheduled every minute, and a Deployment that isn't ready is what an alert can see. A second pod would do no harm,
since each message goes back in one step of Redis.
"""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import clone, lookup, plain_value
from kustomizer.openedx.pod_program import pod_program
from kustomizer.openedx.queue_names import consumed_queues, taken_queues
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX
from kustomizer.openedx.workers import workers_of
from kustomizer.transform.broker_access import CONFIG_FILE, access, certificate_volumes, secret_variables
from kustomizer.transform.broker_secrets import missing_keys, object_with_hash, url_secret
from kustomizer.transform.one_pod import RESTORER, USER, deployment, metadata, pod_spec, secret_environment
from kustomizer.transform.pools import pool_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.broker import Brokers
    from kustomizer.openedx.endpoint import Endpoint
    from kustomizer.transform.broker_access import BrokerAccess, VolumeAndMount
    from kustomizer.transform.model import ServicePlan

DIRECTORY = f"/etc/{RESTORER}"
PROGRAM, SETTINGS = "restore_orphans.py", "settings.txt"
OLDER_SECONDS = 60
"""How old a message is at least; the clocks of the pods may be as far apart."""
LOOKED = "celery-orphans-looked"
"""The file whose age says when all could last be looked at; the probe reads it."""
PATIENCE = 5
"""Seconds that workers have to answer remote control."""
FIELD = "spec.celery.restoreOrphans.enabled"
# Prefork by its two names: it tells of its tasks from the loop that acknowledges them.
_POOLS = ("", "prefork", "processes")
_PLACEMENT = ("affinity", "imagePullSecrets", "nodeSelector", "runtimeClassName", "tolerations")
_RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


def add_restore_orphans(
    resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan], brokers: Brokers
) -> list[Problem]:
    """Add the program's objects. Returns warnings; raises UserError for what can't be done."""
    plans = [plan for service in OPEN_EDX_SERVICES for plan in plans if plan.service == service]
    if not plans:
        message, remedy = "no worker of lms or cms is split, and only these are looked after", "Remove it"
        raise UserError.of(message, resource=config.ref, field=FIELD, remedy=remedy)
    problems = _check_pools(resources, config, plans)
    worker = plans[0].emitted.resource
    broker, warnings = _broker(config, plans, brokers)
    reach = access(broker, DIRECTORY)
    if missing := missing_keys(resources, reach, worker):
        raise UserError(*missing)
    for resource in _objects(resources, config, plans, broker, reach):
        resources.add(resource, after=worker)
    return [*problems, *warnings]


def _check_pools(resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan]) -> list[Problem]:
    """Return what isn't known of the workers' pools. Raises UserError for one that can't say what it has in hand."""
    errors, notes = [], []
    for plan in plans:
        for variant in plan.variants:
            pool, doubt = pool_of(resources, plan.emitted, variant)
            if pool not in _POOLS:
                message = f"{variant.deployment} has --pool={pool}: only prefork can say, while it works, what it has "
                message += "in hand"
                errors.append(config.problem(message, "Give it prefork, or leave restoreOrphans out", field=FIELD))
            elif doubt:
                message = f"the pool of {variant.deployment} isn't sure: {doubt}. With another than prefork its tasks "
                message += "are never put back"
                remedy = "Say --pool=prefork in extraArgs if it is that"
                notes.append(config.problem(message, remedy, field=FIELD, severity=WARNING))
    if errors:
        raise UserError(*errors)
    return notes


def _broker(config: CeleryWorkers, plans: Sequence[ServicePlan], brokers: Brokers) -> tuple[Endpoint, list[Problem]]:
    """Return the one broker of all these services, and warnings."""
    broker, warnings = brokers.of(plans[0].service, plans[0].emitted.resource)
    for plan in plans[1:]:
        other, more = brokers.of(plan.service, plan.emitted.resource)
        warnings += [problem for problem in more if problem not in warnings]
        if not other.is_same(broker, plan.emitted.resource.namespace):
            message = f"{plan.service} has another broker than {plans[0].service}, and one program looks at one"
            remedy = "Give both services one broker in Tutor's configuration, or say in spec.broker what holds for "
            remedy += "both (existingSecret, address), or leave restoreOrphans out"
            raise UserError.of(message, resource=config.ref, field=FIELD, remedy=remedy)
    return broker, warnings


def _objects(
    resources: Resources,
    config: CeleryWorkers,
    plans: Sequence[ServicePlan],
    broker: Endpoint,
    reach: BrokerAccess,
) -> list[Resource]:
    owner = plans[0].emitted.resource
    program = pod_program("restore_orphans", "redis_broker", "orphans")
    data = {
        PROGRAM: f"{program}\n\nmain(*sys.argv[1:])\n",
        SETTINGS: _settings(resources, config, plans, broker),
        **({CONFIG_FILE: reach.config} if reach.config else {}),
    }
    objects = [deployment(owner, RESTORER, _pod(config, plans[0], reach))]
    if reach.url:
        objects.append(url_secret(owner, metadata(owner, RESTORER), reach.url))
    return [*objects, object_with_hash(owner, "ConfigMap", metadata(owner, RESTORER), data), *_permissions(owner)]


def _permissions(owner: Resource) -> list[Resource]:
    """Return the program's account, with leave to list pods."""

    def made(api_version: str, kind: str, **fields: Any) -> Resource:
        return Resource.beside(owner, api_version, kind, metadata(owner, RESTORER), **fields)

    group = "rbac.authorization.k8s.io"
    namespace = {"namespace": owner.namespace} if owner.namespace else {}
    role = {"apiGroup": group, "kind": "Role", "name": RESTORER}
    subject = {"kind": "ServiceAccount", "name": RESTORER, **namespace}
    return [
        made("v1", "ServiceAccount", automountServiceAccountToken=False),
        made(f"{group}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]),
        made(f"{group}/v1", "RoleBinding", roleRef=role, subjects=[subject]),
    ]


def _settings(resources: Resources, config: CeleryWorkers, plans: Sequence[ServicePlan], broker: Endpoint) -> str:
    """Return where the program looks, as a literal of Python without any secret: ``import json`` would cost 3 ms."""
    variants = [variant for plan in plans for variant in plan.variants]
    emitted = [plan.emitted for plan in plans]
    # A service that isn't split shares Celery's own key with the default workers of the other one.
    workers = [worker for worker in workers_of(resources) if worker.service in OPEN_EDX_SERVICES]
    queues = {queue for worker in emitted for queue in taken_queues(resources, worker) or ()}
    queues.update(consumed_queues(resources, (worker.resource for worker in workers)))
    queues.update(queue for variant in variants for queue in variant.queues)
    key_of_worker = {
        variant.deployment: f"unacked{variant.unacked_suffix}" for variant in variants if variant.unacked_suffix
    }
    settings = {
        "every": config.spec.celery.restore_orphans.every_seconds,
        "older": OLDER_SECONDS,
        "patience": PATIENCE,
        "looked": LOOKED,
        "unacked": broker.unacked_key,
        "keys": [broker.unacked_key, *key_of_worker.values()],
        "queues": sorted(queues),
        "workers": sorted({variant.deployment for variant in variants} | {worker.resource.name for worker in workers}),
        # Whose pod has these settings has its tasks under this key, and no other.
        "own": {f"{name}{CONFIG_MAP_SUFFIX}": key for name, key in key_of_worker.items()},
    }
    return "".join(["{\n", *(f"    {name!r}: {value!r},\n" for name, value in settings.items()), "}\n"])


def _pod(config: CeleryWorkers, plan: ServicePlan, reach: BrokerAccess) -> dict[str, Any]:
    pod_of_worker = lookup(plan.emitted.resource.tree, "spec", "template", "spec")
    worker = pod_of_worker["containers"][plan.emitted.container]
    mounted: list[VolumeAndMount] = [
        (
            {"name": "program", "configMap": {"name": RESTORER}},
            {"name": "program", "mountPath": DIRECTORY, "readOnly": True},
        ),
        ({"name": "tmp", "emptyDir": {"sizeLimit": "1Mi"}}, {"name": "tmp", "mountPath": "/tmp"}),  # noqa: S108 - in the pod
        *certificate_volumes(reach),
    ]
    # Two turns may be missed; a turn takes up to a minute while workers don't answer.
    minutes = config.spec.celery.restore_orphans.every_seconds * 3 // 60 + 2
    recent = f'test -n "$(find /tmp/{LOOKED} -mmin -{minutes} 2>/dev/null)"'
    container: dict[str, Any] = {
        "name": RESTORER,
        "image": lookup(worker, "image"),
        "command": ["python", f"{DIRECTORY}/{PROGRAM}", DIRECTORY],
        "env": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}, *secret_variables(reach)],
        **secret_environment(reach, RESTORER),
        "resources": clone(_RESOURCES),
        "readinessProbe": {
            "exec": {"command": ["sh", "-c", recent]},
            "periodSeconds": 30,
            "timeoutSeconds": 10,
        },
    }
    if policy := lookup(worker, "imagePullPolicy"):
        container["imagePullPolicy"] = policy
    user = plain_value(lookup(pod_of_worker, "securityContext", "runAsUser"))
    # The one pod of a site that talks to the API server.
    pod = pod_spec(container, mounted, user=user if isinstance(user, int) and user > 0 else USER, account=RESTORER)
    placed = {field: clone(value) for field in _PLACEMENT if (value := lookup(pod_of_worker, field))}
    return {**pod, **placed}
