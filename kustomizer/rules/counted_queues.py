"""A ScaledObject that counts other queues than its worker takes, or in another broker.

After a split, `lms-worker` takes one queue. A ScaledObject that a plugin made for the worker that took three
(tutor-contrib-k8s: `K8S_LMS_WORKER_KEDA_QUEUE_NAMES`) goes on counting all of them: `lms-worker` gets pods for tasks
that it never runs, and the worker that runs them gets none. The other way round, tasks of a queue that isn't counted
wait for as long as the worker has no pod.

A trigger that counts in RabbitMQ, SQS or Redis, where the worker's broker is another one, sees none of its tasks.

**Severity:** warning; error where nothing that is counted is the worker's and it may have no pod.

**What to do:** have it count the queues of its worker, where it is made, or turn it off there and let the
configuration's `keda.enabled` make one.

**What isn't seen:** lists that no worker of the build takes, since they may be another application's; which queue a
trigger other than on Redis counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set as AbstractSet

from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mappings
from kustomizer.openedx.celery.transport import SEPARATOR
from kustomizer.openedx.own_settings import REDIS
from kustomizer.openedx.stopped import least
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.counted_lists import counted_lists, is_of_priority, is_ours, key_prefix, list_name
from kustomizer.site.model import Site, SiteWorker

# Brokers by name, and what kombu calls their transports.
_BROKERS: Mapping[str, AbstractSet[str]] = {
    "Redis": REDIS,
    "RabbitMQ": frozenset({"amqp", "amqps", "librabbitmq", "pyamqp"}),
    "SQS": frozenset({"sqs"}),
}
_FIELD = "spec.triggers"
_OF_NO_QUEUE = frozenset({"cpu", "cron", "memory"})
# What kombu puts between a queue's name and a priority, unless the settings say otherwise (kombu/transport/redis.py).
_PRIORITY = re.compile(f"{SEPARATOR}[0-9]+$")


def check(site: Site) -> Iterator[Problem]:
    """Find the ScaledObjects that count a queue that another worker takes, or not each queue of their own."""
    for scaled_object in site.resources.of_kind("ScaledObject"):
        lists = counted_lists(scaled_object)
        workers = site.workers_of(*scale_target(scaled_object), scaled_object.namespace)
        yield from _in_another_broker(scaled_object, workers)
        if not workers or not all(worker.queues for worker in workers):
            continue
        own = {queue for worker in workers for queue in worker.queues}
        if not lists:
            yield from _counting_nothing(scaled_object, workers[0], sorted(own))
            continue
        prefixes = {key_prefix(worker, lists) for worker in workers}
        names = {
            _PRIORITY.sub("", name.removeprefix(prefix))
            for name in lists
            for prefix in prefixes
            if name.startswith(prefix)
        }
        # Behind its name a queue may have a priority, after a separator of the site's own.
        counted = names | {queue for queue in own for name in names if is_of_priority(name, queue)}
        bare = own & {_PRIORITY.sub("", name) for name in lists}
        if bare and not counted & own:
            yield _without_prefix(scaled_object, workers[0], sorted(bare), min(prefixes))
        others = {queue: site.takers.get((scaled_object.namespace, queue)) for queue in sorted(counted - own)}
        foreign = {queue: taker for queue, taker in others.items() if taker is not None}
        if foreign:
            yield _foreign(scaled_object, workers[0], foreign)
        triggers = mappings(lookup(scaled_object.tree, "spec", "triggers"))
        # Something else than lists in Redis may wake the worker.
        if own - counted and not bare - counted and all(map(list_name, triggers)):
            yield _uncounted(scaled_object, workers[0], sorted(own - counted), of_all=not counted & own)


def _counting_nothing(scaled_object: Resource, worker: SiteWorker, queues: Sequence[str]) -> Iterator[Problem]:
    """Yield a warning where a worker may have no pod, and what is counted says nothing of its queues."""
    kinds = [str(trigger.get("type")) for trigger in mappings(lookup(scaled_object.tree, "spec", "triggers"))]
    if kinds and not least(scaled_object) and all(kind in _OF_NO_QUEUE for kind in kinds):
        names, name = ", ".join(queues), worker.resource.name
        message = f"counts no queue ({', '.join(kinds)}): while {name} has no pod, tasks on {names} wait"
        remedy = f"Have it count {names}, too, or set minReplicaCount: 1"
        yield scaled_object.problem(message, remedy, field=_FIELD, severity=WARNING)


def _in_another_broker(scaled_object: Resource, workers: Sequence[SiteWorker]) -> Iterator[Problem]:
    """Yield the triggers that count in a broker which none of the workers uses."""
    triggers = mappings(lookup(scaled_object.tree, "spec", "triggers"))
    transports = {worker.transport for worker in workers}
    if not transports or "" in transports:
        return
    foreign = [
        (index, kind)
        for index, trigger in enumerate(triggers)
        for kind in [_broker_of(str(trigger.get("type", "")))]
        if kind and not transports & _BROKERS[kind]
    ]
    for index, kind in foreign:
        name = workers[0].resource.name
        own = next((broker for broker, known in _BROKERS.items() if transports & known), min(transports))
        message = f"counts in {kind}, and the broker of {name} is {own}: none of its tasks is there"
        remedy = f"Have it count in {own}, where it is made, or turn it off there"
        remedy += " and set keda.enabled: true" if own == "Redis" else ""
        severity = WARNING if least(scaled_object) or len(foreign) < len(triggers) else ERROR
        yield scaled_object.problem(message, remedy, field=f"{_FIELD}[{index}].type", severity=severity)


def _broker_of(kind: str) -> str:
    """Return the broker in which a trigger of this type counts, empty where it counts something else."""
    return "Redis" if kind.startswith("redis") else {"rabbitmq": "RabbitMQ", "aws-sqs-queue": "SQS"}.get(kind, "")


def _foreign(scaled_object: Resource, worker: SiteWorker, queues: dict[str, SiteWorker]) -> Problem:
    takers = list(dict.fromkeys(taker.resource.name for taker in queues.values()))
    name = worker.resource.name
    message = f"counts {', '.join(queues)}, which {name} doesn't take: {name} gets pods for tasks that "
    message += f"{', '.join(takers)} {'runs' if len(takers) == 1 else 'run'}"
    return scaled_object.problem(message, _remedy(scaled_object, worker), field=_FIELD, severity=WARNING)


def _without_prefix(scaled_object: Resource, worker: SiteWorker, queues: Sequence[str], prefix: str) -> Problem:
    message = f"counts {', '.join(queues)}, and the settings of {worker.resource.name} have {prefix} before each key "
    message += "(global_keyprefix): it counts nothing"
    remedy = f"Put {prefix} before its listName where it is made, or turn it off there and set keda.enabled: true"
    return scaled_object.problem(message, remedy, field=_FIELD)


def _uncounted(scaled_object: Resource, worker: SiteWorker, queues: Sequence[str], *, of_all: bool) -> Problem:
    keeps_one = bool(least(scaled_object))
    message = f"doesn't count {', '.join(queues)}, which {worker.resource.name} takes{'' if of_all else ', too'}: "
    message += "they don't add pods" if keeps_one else "tasks there wait while it has no pod"
    severity = WARNING if keeps_one else ERROR
    return scaled_object.problem(message, _remedy(scaled_object, worker), field=_FIELD, severity=severity)


def _remedy(scaled_object: Resource, worker: SiteWorker) -> str:
    queues = ", ".join(worker.queues)
    if is_ours(scaled_object):
        return f"Build the site again: the function counts {queues}"
    return (
        f"Have it count {queues} alone, where it is made (tutor-contrib-k8s: K8S_LMS_WORKER_KEDA_QUEUE_NAMES, "
        "K8S_CMS_WORKER_KEDA_QUEUE_NAMES), or turn it off there and set keda.enabled: true"
    )
