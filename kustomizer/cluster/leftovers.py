"""Finds and removes leftovers: objects of ours that a cluster still has and a build doesn't, as of a removed worker.

Neither Tutor nor `kubectl apply` deletes an object that has left its input. An object counts as ours if it looks like
one that we emit and nobody else would (kustomizer/cluster/ours.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kustomizer.cluster.in_flight import users
from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.ours import is_worker, ours_of
from kustomizer.manifests.name_hashes import GENERATED_KINDS
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.manifests.writer import emit
from kustomizer.openedx.celery.transport import SEPARATOR
from kustomizer.record import Record
from kustomizer.site.counted_lists import counted_lists
from kustomizer.site.model import Site
from kustomizer.system.folding import fold
from kustomizer.system.wording import joined, plural
from kustomizer.transform.one_pod import RESTORER

REMOVED = {
    # KEDA's first: it would go on scaling what is being deleted.
    "ScaledObject": "scaledobjects.keda.sh",
    "Deployment": "deployments.apps",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "TriggerAuthentication": "triggerauthentications.keda.sh",
    "ServiceMonitor": "servicemonitors.monitoring.coreos.com",
    "PrometheusRule": "prometheusrules.monitoring.coreos.com",
    "HTTPRoute": "httproutes.gateway.networking.k8s.io",
    "Ingress": "ingresses.networking.k8s.io",
    "Service": "services",
    "Secret": "secrets",
    "ConfigMap": "configmaps",
    "ServiceAccount": "serviceaccounts",
    "RoleBinding": "rolebindings.rbac.authorization.k8s.io",
    "Role": "roles.rbac.authorization.k8s.io",
}
"""The kinds that may be left over, with kubectl's names, in the order in which they are removed."""
_ORDER = list(REMOVED)
_RIGHTS = ("RoleBinding", "Role")
"""Listed only where our program is left over: not everybody who may remove a worker may list these."""
_USERS = ("pods", "replicasets.apps", "statefulsets.apps", "cronjobs.batch", "jobs.batch")
"""Kinds besides Deployments that name ConfigMaps."""
_POD_KINDS = frozenset({"CronJob", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})


class Leftover(Record):
    """Objects of one worker, or of one purpose, that the build no longer has."""

    name: str
    objects: Sequence[Resource]
    queues: Sequence[str] = ()
    """The worker's queues that no worker of the build consumes."""
    key: str = ""
    """The key of its tasks in flight, empty where a worker of the build uses that key, too."""
    held: str = ""
    """Why it can't be removed: another object needs it. Empty where none does."""


class Counted(Record):
    """A leftover, with the number of tasks that no worker would take once it is removed."""

    leftover: Leftover
    counts: Mapping[str, int] = {}
    """The tasks on each queue and under the key."""
    unknown: str = ""
    """Why the tasks couldn't be counted."""

    @property
    def reasons(self) -> list[str]:
        """Why it isn't removed; none where it can be."""
        reasons = [self.leftover.held] if self.leftover.held else []
        reasons += [f"its tasks can't be counted: {self.unknown}"] if self.unknown else []
        for queue in self.leftover.queues:
            if count := self.counts.get(queue, 0):
                reasons.append(f"{plural(count, 'task')} on {queue}, which no worker of the site consumes")
        if count := self.counts.get(self.leftover.key, 0):
            reasons.append(f"{plural(count, 'task')} in flight under {self.leftover.key}")
        return reasons


def live_resources(kubectl: Kubectl) -> Resources:
    """Return the namespace's objects of all kinds that matter here. Raises UserError where kubectl is refused."""
    served = set(kubectl.api_resources())
    rights = [REMOVED[kind] for kind in _RIGHTS]
    kinds = [name for name in (*REMOVED.values(), *_USERS) if name in served and name not in rights]
    items = mappings(mapping(kubectl.get(",".join(kinds))).get("items"))
    if any(item.get("kind") == "ServiceAccount" and lookup(item, "metadata", "name") == RESTORER for item in items):
        items += mappings(mapping(kubectl.get(",".join(rights))).get("items"))
    # What was deleted and isn't gone yet needs nobody's attention.
    items = [item for item in items if not lookup(item, "metadata", "deletionTimestamp")]
    return Resources(Resource(emit(item), tree=item) for item in items)


def leftovers(live: Resources, site: Site, namespace: str) -> list[Leftover]:
    """Return the objects of ours in ``live``, the objects of ``namespace``, that ``site``, the build, doesn't have."""
    built = [item for item in site.resources if item.namespace in ("", namespace)]
    in_build = {(item.kind, item.name) for item in built}
    deployments = {item.name for item in built if item.kind == "Deployment"}
    groups: dict[str, list[Resource]] = {}
    for owner, owned in ours_of(live).items():
        if removable := [item for item in owned if (item.kind, item.name) not in in_build]:
            groups[owner] = removable
    remaining = _remaining(live, {item.identity for items in groups.values() for item in items})
    work = _Work(live, site) if any(is_worker(owner) and owner not in deployments for owner in groups) else None
    leftovers = []
    for owner, items in sorted(groups.items()):
        has_worker = owner in deployments
        # A rollback needs the earlier settings that a ReplicaSet names.
        objects = [
            item for item in items if not (has_worker and item.kind in GENERATED_KINDS and _user(item, remaining))
        ]
        queues, key = ((), "") if has_worker or work is None or not is_worker(owner) else work.of(owner, objects)
        if objects:
            objects.sort(key=lambda item: (_ORDER.index(item.kind), item.name))
            held = _held(objects, remaining)
            leftovers.append(Leftover(name=owner, objects=objects, queues=queues, key=key, held=held))
    return leftovers


class _Work:
    """The queues and in-flight keys of the workers of a cluster and of a build."""

    def __init__(self, live: Resources, site: Site) -> None:
        self.site = site
        self.keys = users(site)
        running = Site(live).workers
        self.running = {worker.resource.name: worker for worker in reversed(running)}
        names = {worker.resource.name for worker in site.workers}
        # A queue counts as consumed where a worker of the build takes it, and already does so in the cluster.
        in_cluster = {queue for worker in running if worker.resource.name in names for queue in worker.queues}
        self.consumed = in_cluster & {queue for worker in site.workers for queue in worker.queues}

    def of(self, owner: str, objects: Sequence[Resource]) -> tuple[Sequence[str], str]:
        """Return the queues that only ``owner`` takes, and its in-flight key, empty where others use that, too."""
        worker = self.running.get(owner)
        queues, key = (worker.queues, worker.unacked_key) if worker else _gone(owner, objects, self.site)
        return [queue for queue in queues if queue not in self.consumed], "" if key in self.keys else key


def _gone(owner: str, objects: Sequence[Resource], site: Site) -> tuple[Sequence[str], str]:
    # Its Deployment is gone, after `tutor k8s reboot` say; KEDA's object still names its queues.
    scaled = [item for item in objects if item.kind == "ScaledObject"]
    prefix = next((worker.key_prefix for worker in site.open_edx_workers if worker.key_prefix), "")
    lists = {name.removeprefix(prefix) for item in scaled for name in counted_lists(item) if SEPARATOR not in name}
    return sorted(name for name in lists if not name.startswith("unacked")), f"unacked.{owner}"


def _remaining(live: Resources, removable: set[tuple[str, str, str, str]]) -> list[Resource]:
    """Return the objects that remain when the ``removable`` ones, and the pods of their Deployments, are removed."""
    deployments = {name for _, kind, _, name in removable if kind == "Deployment"}
    return [
        item
        for item in live
        if item.identity not in removable and not (item.kind in _POD_KINDS and _is_of(item, deployments))
    ]


def _held(objects: Sequence[Resource], remaining: Sequence[Resource]) -> str:
    """Return why these can't be removed: one of the ``remaining`` objects refers to one of them. Empty if none does."""
    for item in objects:
        for scaled in remaining if item.kind == "TriggerAuthentication" else ():
            triggers = mappings(lookup(scaled.tree, "spec", "triggers")) if scaled.kind == "ScaledObject" else []
            if item.name in [lookup(trigger, "authenticationRef", "name") for trigger in triggers]:
                return f"ScaledObject {scaled.name} refers to it"
        if item.kind in GENERATED_KINDS and (user := _user(item, remaining)):
            return f"{user.kind} {user.name} names {item.name}"
    return ""


def _user(item: Resource, remaining: Sequence[Resource]) -> Resource | None:
    """Return the first pod, or object that makes pods, that remains and names this ConfigMap or Secret."""
    return next((user for user in remaining if user.kind in _POD_KINDS and user.mentions(item.name)), None)


def _is_of(user: Resource, names: set[str]) -> bool:
    """Tell whether a ReplicaSet or a pod belongs to one of the Deployments of these names, by its owner's name."""
    owners = mappings(lookup(user.tree, "metadata", "ownerReferences"))
    stems = {str(reference.get("name")) for reference in owners}
    if user.kind == "Pod":
        stems = {stem.rpartition("-")[0] for stem in stems}
    return bool(stems & names)


def counts_request(leftovers: Sequence[Leftover]) -> dict[str, Any]:
    """Return the request that counts the tasks on the queues, and under the keys, of ``leftovers``."""
    queues = sorted({queue for leftover in leftovers for queue in leftover.queues})
    keys = sorted({leftover.key for leftover in leftovers if leftover.key})
    return {"action": "remaining", "keys": keys, "queues": queues}


def remove(kubectl: Kubectl, leftovers: Iterable[Leftover]) -> str:
    """Delete the objects; return kubectl's output, a line for each. Raises UserError in kubectl's words."""
    objects = [item for leftover in leftovers for item in leftover.objects]
    output = ""
    for kind, resource in REMOVED.items():
        names = [item.name for item in objects if item.kind == kind]
        if names:
            # KEDA gives a Deployment its pods back when its object goes, and has to find it for that.
            waits = "--wait=true" if kind == "ScaledObject" else "--wait=false"
            output += kubectl.delete(resource, names, waits)
    return output


def leftovers_text(leftovers: Sequence[Counted], width: int) -> str:
    """Return a paragraph for each leftover: its objects, and why it stays or that it can go."""
    return "\n\n".join(_paragraph(counted, width) for counted in leftovers) or "Nothing is left over."


def leftovers_json(leftovers: Sequence[Counted], removed: Collection[str]) -> str:
    """Return the leftovers as JSON; ``removed`` has the names of those that were removed."""
    entries = [
        {
            "name": counted.leftover.name,
            "objects": [{"kind": item.kind, "name": item.name} for item in counted.leftover.objects],
            "queues": list(counted.leftover.queues),
            "inFlight": counted.leftover.key or None,
            "tasks": dict(counted.counts),
            "stays": counted.reasons,
            "removed": counted.leftover.name in removed,
        }
        for counted in leftovers
    ]
    return json.dumps({"leftovers": entries}, indent=2)


def _paragraph(counted: Counted, width: int) -> str:
    empty = [f"no task on {queue}" for queue in counted.leftover.queues]
    empty += [f"none in flight under {counted.leftover.key}"] if counted.leftover.key else []
    if counted.reasons:
        head = f"{counted.leftover.name} stays: {'; '.join(counted.reasons)}"
    else:
        head = f"{counted.leftover.name} can go" + (f": {joined(empty)}" if empty else "")
    return "\n".join([*fold(head, width), *(f"  {item.kind} {item.name}" for item in counted.leftover.objects)])
