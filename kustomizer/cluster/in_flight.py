"""Requests to list, drop and put back the unacknowledged tasks in Redis, and their answers.

`pods.LivePod` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kustomizer.cluster.pods import LivePod, may_use, names_of_workers
from kustomizer.errors import UserError
from kustomizer.record import Record
from kustomizer.site.model import Site, SiteWorker
from kustomizer.system.wording import plural


class Message(Record):
    """A task that a worker has taken and not acknowledged; or, where ``key`` is empty, one that waits on ``queue``."""

    key: str
    id: str
    task: str
    queue: str
    age: int | None = None
    """Seconds since it was taken, None where Redis doesn't say: then kombu never puts it back by itself."""
    redelivered: bool = False
    eta: str = ""
    """The time until which a worker holds it back, if it was sent with one."""
    retries: int = 0
    args: str | None = None
    kwargs: str | None = None
    dropped: bool = False
    held: str = "unknown"
    """Whether a live worker has it in hand: "yes", "nobody" or "unknown"."""
    worker: str = ""
    """The pod that has it in hand, or the worker's name where it is none of the pods."""


class Hash(Record):
    """A key and the messages under it; ``count`` may exceed the number of messages that were asked for."""

    key: str
    workers: Sequence[str]
    """The Deployments of the build that use the key: none where the worker was removed."""
    count: int
    messages: Sequence[Message]
    unknown: str = ""
    """Why "nobody" can't be known of some messages; empty where it can."""


class Restored(Record):
    """The result of putting tasks back: how many went to each queue."""

    key: str
    queues: Mapping[str, int]
    kept: int = 0
    """How many had no queue to go to, and stay where they were."""


def users(site: Site) -> dict[str, list[str]]:
    """Return each in-flight key of the build, and the Deployments that use it."""
    names_of: dict[str, list[str]] = {}
    for worker in site.open_edx_workers:
        names_of.setdefault(worker.unacked_key, []).append(worker.resource.name)
    return names_of


def key_of(site: Site, name: str) -> str:
    """Return ``name`` if it is a key, else the key that the worker of that name has or had."""
    for worker in site.open_edx_workers:
        if worker.resource.name == name:
            return worker.unacked_key
    return name if name.startswith("unacked") or name in users(site) else f"unacked.{name}"


def list_request(site: Site, *, limit: int, arguments: bool, pods: Sequence[LivePod] | None = None) -> dict[str, Any]:
    """Return the request that lists the messages in flight: ``limit`` of each key, 0 for all.

    Without ``pods`` the answer can't say of a message that nobody has it.
    """
    request = {"action": "in_flight", "keys": sorted(users(site)), "limit": limit, "arguments": arguments}
    return request if pods is None else {**request, "pods": names_of_workers(pods)}


def task_request(site: Site, task_id: str, *, drop: bool, arguments: bool = False) -> dict[str, Any]:
    """Return the request that looks for a task, and with ``drop`` removes it."""
    queues = sorted({queue for worker in site.open_edx_workers for queue in worker.queues})
    question = {"action": "task_of", "id": task_id, "keys": sorted(users(site)), "queues": queues}
    return {**question, "drop": drop, "arguments": arguments}


def restore_request(key: str, pods: Sequence[LivePod]) -> dict[str, Any]:
    """Return the request that puts back the messages under ``key``; it names the workers that may use that key."""
    suspects = sorted(pod.node for pod in pods if pod.is_worker and may_use(pod, key))
    return {"action": "restore", "key": key, "suspects": suspects}


def hashes(answer: Mapping[str, Any], site: Site, pods: Sequence[LivePod] = ()) -> list[Hash]:
    """Return the keys and messages from the answer to ``list_request``."""
    workers_of = users(site)
    names = {pod.node: pod.name for pod in pods if pod.is_worker}
    return [
        Hash(
            key=answered["key"],
            workers=workers_of.get(answered["key"], ()),
            count=answered["count"],
            messages=[
                message({**raw, **_holder(raw, answered, names)}, answered["key"]) for raw in answered["messages"]
            ],
            unknown=answered.get("unknown") or "",
        )
        for answered in answer["keys"]
    ]


def _holder(raw: Mapping[str, Any], answered: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Return which pod has a message in hand, as far as that is known."""
    node = raw.get("worker", "")
    if node:
        return {"held": "yes", "worker": names.get(node, node)}
    # A message without an id can't be looked for, and a worker that limits a task's rate may hide the message.
    is_known = answered.get("unknown") == "" and raw.get("id") and not raw.get("limited")
    return {"held": "nobody" if is_known else "unknown", "worker": ""}


def message(answered: Mapping[str, Any], key: str) -> Message:
    """Return a message from the answer of the program in the pod."""
    fields = {name: answered[name] for name in Message._fields if answered.get(name) is not None}
    return Message(**{**fields, "key": key})


def restored(answer: Mapping[str, Any], pods: Sequence[LivePod]) -> Restored:
    """Return the result that answers ``restore_request``. Raises UserError where a worker uses the key, or may."""
    key = answer["key"]
    names = {pod.node: pod.name for pod in pods if pod.is_worker}

    def refused(reason: str, remedy: str) -> UserError:
        return UserError.of(f"{key}: {reason}, and nothing was put back", remedy=remedy)

    if answer["users"]:
        pods_named = ", ".join(names.get(node, node) for node in answer["users"])
        remedy = "What it works on would run twice: it puts back by itself what another one left, in time"
        raise refused(f"in use by {pods_named}", remedy)
    if answer["silent"]:
        pods_named = ", ".join(names.get(node, node) for node in answer["silent"])
        remedy = "It may be stopping with a task in its hands: wait until the pod is gone"
        raise refused(f"{pods_named} may use it, and doesn't answer", remedy)
    if answer["unknown"]:
        silent = sorted(name for node, name in names.items() if node not in answer["answered"])
        pods_named = f" (of what is here, {', '.join(silent)})" if silent else ""
        remedy = (
            "Try again: a solo pool answers between tasks only, and Redis takes minutes to notice that a node is lost. "
            "`celery inspect stats` shows workers of other namespaces"
        )
        workers = plural(answer["unknown"], "worker") + (" that listens" if answer["unknown"] == 1 else " that listen")
        raise refused(f"{workers} on this broker without an answer may use it{pods_named}", remedy)
    return Restored(key=key, queues=answer["restored"], kept=answer["kept"])


def unconsumed(site: Site, queues: Mapping[str, int]) -> list[str]:
    """Return which of ``queues`` no worker of the build consumes by name."""
    consumed = {queue for worker in site.open_edx_workers for queue in worker.queues}
    return sorted(queue for queue in queues if queue not in consumed)


def namespace_of(site: Site) -> str:
    """Return the namespace of the workers. Raises UserError where there is no worker, or more than one namespace."""
    namespaces = sorted({worker.resource.namespace for worker in site.open_edx_workers})
    if len(namespaces) > 1:
        message = f"the site has workers in more than one namespace: {', '.join(namespaces)}"
        raise UserError.of(message, remedy="Name one with --namespace")
    if not namespaces:
        raise UserError.of("the site has no Celery worker of lms or cms")
    return namespaces[0]


def workers_in(site: Site, namespace: str) -> list[SiteWorker]:
    """Return the workers of lms and cms that are in ``namespace``, or state no namespace."""
    return [worker for worker in site.open_edx_workers if worker.resource.namespace in ("", namespace)]
