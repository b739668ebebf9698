"""What a cluster still has of ours and a build has no more: a removed worker's objects, or all of a split.

Nobody deletes it: neither Tutor nor `kubectl apply` removes what has left its input. An object is ours
if it looks like one that we emit and nobody else would (kustomizer/cluster/ours.py).
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
"""What may be left over, as kubectl calls it, in the order in which it is removed."""
_ORDER = list(REMOVED)
_RIGHTS = ("RoleBinding", "Role")
"""Asked for only where our program is left: not everybody who may remove a worker may list them."""
_USERS = ("pods", "replicasets.apps", "statefulsets.apps", "cronjobs.batch", "jobs.batch")
"""What names ConfigMaps besides Deployments."""
_POD_KINDS = frozenset({"CronJob", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
_PRIORITY = "\x06\x16"
"""What stands before the priority in the name of a list of kombu's."""


class Leftover(Record):
    """Objects of one worker, or of one purpose, that the build no longer has."""

    name: str
    objects: Sequence[Resource]
    queues: Sequence[str] = ()
    """The queues that the worker took and that no worker of the build consumes."""
    key: str = ""
    """Where its tasks in flight are, unless a worker of the build uses the key, too."""
    held: str = ""
    """Why it can't go, where something else needs it."""


class Counted(Record):
    """A leftover, and how many tasks would be left to nobody with it."""

    leftover: Leftover
    counts: Mapping[str, int] = {}
    """Of each queue and of the key."""
    unknown: str = ""
    """Why they couldn't be counted."""

    @property
    def reasons(self) -> list[str]:
        """Why it stays; none where it can go."""
        reasons = [self.leftover.held] if self.leftover.held else []
        reasons += [f"its tasks can't be counted: {self.unknown}"] if self.unknown else []
        for queue in self.leftover.queues:
            if count := self.counts.get(queue, 0):
                reasons.append(f"{plural(count, 'task')} on {queue}, which no worker of the site consumes")
        if count := self.counts.get(self.leftover.key, 0):
            reasons.append(f"{plural(count, 'task')} in flight under {self.leftover.key}")
        return reasons


def live_resources(kubectl: Kubectl) -> Resources:
    """Return what the namespace has of all kinds that matter here. Raises UserError where kubectl is refused."""
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
    """Return what ``live``, a namespace's objects, has of ours and ``site``, the build, hasn't."""
    built = [item for item in site.resources if item.namespace in ("", namespace)]
    kept = {(item.kind, item.name) for item in built}
    deployments = {item.name for item in built if item.kind == "Deployment"}
    groups: dict[str, list[Resource]] = {}
    for owner, mine in ours_of(live).items():
        if left := [item for item in mine if (item.kind, item.name) not in kept]:
            groups[owner] = left
    going = {item.identity for items in groups.values() for item in items}
    staying = _staying(live, going)
    work = _Work(live, site) if any(is_worker(owner) and owner not in deployments for owner in groups) else None
    found = []
    for owner, items in sorted(groups.items()):
        is_kept = owner in deployments
        # Settings of before that a ReplicaSet names are what a rollback needs.
        objects = [item for item in items if not (is_kept and item.kind in GENERATED_KINDS and _user(item, staying))]
        queues, key = ((), "") if is_kept or work is None or not is_worker(owner) else work.of(owner, objects)
        if objects:
            objects.sort(key=lambda item: (_ORDER.index(item.kind), item.name))
            held = _held(objects, staying)
            found.append(Leftover(name=owner, objects=objects, queues=queues, key=key, held=held))
    return found


class _Work:
    """What the workers of a cluster and of a build take."""

    def __init__(self, live: Resources, site: Site) -> None:
        self.site = site
        self.keys = users(site)
        running = Site(live).workers
        self.running = {worker.resource.name: worker for worker in reversed(running)}
        names = {worker.resource.name for worker in site.workers}
        # Somebody who takes a queue does so in the build, and in the cluster by now.
        by_others = {queue for worker in running if worker.resource.name in names for queue in worker.queues}
        self.consumed = by_others & {queue for worker in site.workers for queue in worker.queues}

    def of(self, owner: str, objects: Sequence[Resource]) -> tuple[Sequence[str], str]:
        """Return the queues that ``owner`` takes and nobody else, and its in-flight key where it is its own."""
        worker = self.running.get(owner)
        queues, key = (worker.queues, worker.unacked_key) if worker else _gone(owner, objects, self.site)
        return [queue for queue in queues if queue not in self.consumed], "" if key in self.keys else key


def _gone(owner: str, objects: Sequence[Resource], site: Site) -> tuple[Sequence[str], str]:
    # Its Deployment is gone, after `tutor k8s reboot` say; KEDA's object still names its queues.
    scaled = [item for item in objects if item.kind == "ScaledObject"]
    prefix = next((worker.key_prefix for worker in site.open_edx_workers if worker.key_prefix), "")
    lists = {name.removeprefix(prefix) for item in scaled for name in counted_lists(item) if _PRIORITY not in name}
    return sorted(name for name in lists if not name.startswith("unacked")), f"unacked.{owner}"


def _staying(live: Resources, going: set[tuple[str, str, str, str]]) -> list[Resource]:
    """Return what stays when these objects go, without the pods of a Deployment among them."""
    deployments = {name for _, kind, _, name in going if kind == "Deployment"}
    return [
        item
        for item in live
        if item.identity not in going and not (item.kind in _POD_KINDS and _goes_with(item, deployments))
    ]


def _held(objects: Sequence[Resource], staying: Sequence[Resource]) -> str:
    """Return why these can't go: something that stays refers to one of them."""
    for item in objects:
        for scaled in staying if item.kind == "TriggerAuthentication" else ():
            triggers = mappings(lookup(scaled.tree, "spec", "triggers")) if scaled.kind == "ScaledObject" else []
            if item.name in [lookup(trigger, "authenticationRef", "name") for trigger in triggers]:
                return f"ScaledObject {scaled.name} refers to it"
        if item.kind in GENERATED_KINDS and (user := _user(item, staying)):
            return f"{user.kind} {user.name} names {item.name}"
    return ""


def _user(item: Resource, staying: Sequence[Resource]) -> Resource | None:
    """Return a pod, or what makes pods, that stays and names this ConfigMap or Secret."""
    return next((user for user in staying if user.kind in _POD_KINDS and user.mentions(item.name)), None)


def _goes_with(user: Resource, names: set[str]) -> bool:
    """Tell whether a ReplicaSet or a pod goes with one of the Deployments of these names: its owner's name says so."""
    owner = mappings(lookup(user.tree, "metadata", "ownerReferences"))
    stems = {str(reference.get("name")) for reference in owner}
    if user.kind == "Pod":
        stems = {stem.rpartition("-")[0] for stem in stems}
    return bool(stems & names)


def counts_request(found: Sequence[Leftover]) -> dict[str, Any]:
    """Return the request that counts the tasks which would be left to nobody."""
    queues = sorted({queue for leftover in found for queue in leftover.queues})
    keys = sorted({leftover.key for leftover in found if leftover.key})
    return {"action": "remaining", "keys": keys, "queues": queues}


def remove(kubectl: Kubectl, found: Iterable[Leftover]) -> str:
    """Delete the objects; return what kubectl says, a line each. Raises UserError in kubectl's words."""
    objects = [item for leftover in found for item in leftover.objects]
    said = ""
    for kind, resource in REMOVED.items():
        names = [item.name for item in objects if item.kind == kind]
        if names:
            # KEDA gives a Deployment its pods back when its object goes, and has to find it for that.
            waits = "--wait=true" if kind == "ScaledObject" else "--wait=false"
            said += kubectl.delete(resource, names, waits)
    return said


def leftovers_text(leftovers: Sequence[Counted], width: int) -> str:
    """Return a paragraph for each leftover: why it stays or that it can go, and its objects."""
    return "\n\n".join(_paragraph(counted, width) for counted in leftovers) or "Nothing is left over."


def leftovers_json(leftovers: Sequence[Counted], removed: Collection[str]) -> str:
    """Return the same as JSON, with what was ``removed``, by name."""
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
