"""Compares a running worker, as its process reports itself, with the build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.cluster.pods import LivePod
from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.tree import lookup, mapping, number_at
from kustomizer.openedx.stopped import least
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT, RECURRING, pod_template
from kustomizer.record import Record
from kustomizer.site.model import Site, SiteWorker, autoscalers
from kustomizer.system.wording import plural

_SHOWN_TASKS = 3


class Difference(Record):
    """A value in force that differs from the configured one; ``remedy`` may say what to do about it."""

    what: str
    configured: str
    in_force: str
    remedy: str = ""


class Verified(Record):
    """The result for one worker; ``pod`` is empty where no pod could be asked."""

    worker: str
    pod: str = ""
    state: str = ""
    """Why no pod was asked."""
    in_force: Mapping[str, Any] | None = None
    differences: Sequence[Difference] = ()
    notes: Sequence[str] = ()


def pods_of(worker: SiteWorker, pods: Sequence[LivePod]) -> list[LivePod]:
    """Return the pods of a worker's Deployment, the newest first."""
    selector = mapping(lookup(worker.resource.tree, "spec", "selector", "matchLabels"))
    # A CronJob's pods have what its template says.
    selector = selector or mapping(lookup(pod_template(worker.resource), "metadata", "labels"))
    name = lookup(worker.emitted.container_tree, "name")
    own = [pod for pod in pods if pod.container == name and selector.items() <= pod.labels.items()]
    return sorted(own, key=lambda pod: (pod.created, pod.name), reverse=True)


def minimum(site: Site, worker: SiteWorker) -> int:
    """Return the smallest number of pods that a worker may have."""
    for autoscaler in autoscalers(site):
        same_namespace = autoscaler.namespace == worker.resource.namespace
        if scale_target(autoscaler) == (worker.resource.kind, worker.resource.name) and same_namespace:
            if autoscaler.kind == "ScaledObject":
                return least(autoscaler)
            return number_at(autoscaler.tree, "spec", "minReplicas") or 1
    if worker.resource.kind in RECURRING:
        return 0
    replicas = number_at(worker.resource.tree, "spec", "replicas")
    return 1 if replicas is None else replicas


def without_pod(site: Site, worker: SiteWorker, pods: Sequence[LivePod]) -> Verified:
    """Return the result for a worker that has no pod to ask."""
    name, needed = worker.resource.name, minimum(site, worker)
    names = ", ".join(pod.name for pod in pods)
    if needed == 0 and all(pod.is_stopping for pod in pods):
        # One that was scaled away may take a long time over its last task.
        state = f"stopping: {names}" if pods else "none"
        return Verified(worker=name, state=f"{state}, and 0 is its minimum")
    state, in_force = (f"not ready: {names}", f"none that is ready ({names})") if pods else ("none", "none")
    missing = Difference(what="pods", configured=plural(max(needed, 1), "pod"), in_force=in_force)
    return Verified(worker=name, state=state, differences=(missing,))


def verified(worker: SiteWorker, pod: LivePod, answer: Mapping[str, Any] | None) -> Verified:
    """Return the result for a worker that gave ``answer``, None where it gave none."""
    name = worker.resource.name
    if answer is None:
        silent = Difference(
            what="remote control",
            configured=f"{pod.node} answers",
            in_force="it doesn't",
            remedy="It hasn't reached Redis, has another node name, or a solo pool that is busy: see its log",
        )
        return Verified(worker=name, pod=pod.name, differences=(silent,))
    differences = [*_consumed(worker, answer), *_in_flight(worker, answer), *_slots(worker, answer)]
    notes = []
    early = answer["early"]
    if worker.late and early:
        if len(early) == answer["tasks"]:
            differences.append(Difference(what="late acknowledgement", configured="yes", in_force="no"))
        else:
            notes.append(f"{_some(early)} acknowledge early, since they say so themselves: lost with a pod that goes")
    if worker.rejects and answer["lost"] and len(answer["lost"]) == answer["tasks"]:
        differences.append(Difference(what="reject on worker lost", configured="yes", in_force="no"))
    return Verified(worker=name, pod=pod.name, in_force=answer, differences=differences, notes=notes)


def _consumed(worker: SiteWorker, answer: Mapping[str, Any]) -> Iterator[Difference]:
    configured = sorted(worker.queues)
    if configured and answer["queues"] != configured:
        yield Difference(
            what="queues",
            configured=", ".join(configured),
            in_force=", ".join(answer["queues"]) or "none",
            remedy="`celery control add_consumer` and cancel_consumer change them until the pod is replaced",
        )


def _in_flight(worker: SiteWorker, answer: Mapping[str, Any]) -> Iterator[Difference]:
    keys, configured = answer["keys"], keys_with(worker.unacked_key)
    remedy = "Roll the pods: they run with settings of before" if keys[0] != configured[0] else ""
    if keys[0] != worker.unacked_key:
        yield Difference(what="in-flight key", configured=configured[0], in_force=keys[0], remedy=remedy)
    elif worker.unacked_key.startswith("unacked") and keys != configured:
        yield Difference(
            what="in-flight keys",
            configured=", ".join(configured),
            in_force=", ".join(keys),
            remedy="With some of them shared, messages are stranded",
        )
    seconds = answer["timeout"] or CELERYS_VISIBILITY_TIMEOUT
    if worker.own_visibility_timeout is not None and seconds != worker.own_visibility_timeout:
        configured_seconds = f"{worker.own_visibility_timeout} s"
        yield Difference(what="visibility timeout", configured=configured_seconds, in_force=f"{seconds} s")


def _slots(worker: SiteWorker, answer: Mapping[str, Any]) -> Iterator[Difference]:
    line = worker.emitted.command_line
    if line.has("--autoscale") or line.option("--pool") == "solo":
        return
    concurrency = _number(line.option("--concurrency"))
    if concurrency is not None and type(answer["concurrency"]) is int and answer["concurrency"] != concurrency:
        yield Difference(what="concurrency", configured=str(concurrency), in_force=str(answer["concurrency"]))
    multiplier = _number(line.option("--prefetch-multiplier"))
    if type(answer["concurrency"]) is not int or not multiplier or line.has("--disable-prefetch"):
        return
    # A task with a time raises it by one for as long as it is kept.
    most = answer["concurrency"] * multiplier + answer["scheduled"]
    if answer["prefetch"] is not None and answer["prefetch"] > most:
        yield Difference(
            what="prefetch",
            configured=str(most),
            in_force=str(answer["prefetch"]),
            remedy="The count drifts in workers that run for long, and they hoard what KEDA then can't see: replace "
            "the pod, or set --disable-prefetch (Celery 5.6)",
        )


def keys_with(unacked: str) -> list[str]:
    """Return the three keys of kombu's that belong together; ``unacked`` is the hash."""
    return [unacked, *(unacked.replace("unacked", name, 1) for name in ("unacked_index", "unacked_mutex"))]


def _number(value: str | None) -> int | None:
    return None if value is None else whole_number(value)


def _some(tasks: Sequence[str]) -> str:
    more = len(tasks) - _SHOWN_TASKS
    return ", ".join(tasks[:_SHOWN_TASKS]) + (f" and {more} more" if more > 0 else "")
