"""What one node, or one pod, alone can have: disks, ports, addresses, devices, files that a worker locks."""

from __future__ import annotations

from kustomizer.config.values import join
from kustomizer.errors import INFO, WARNING, Problem
from kustomizer.manifests.tree import is_null, list_at, lookup, mapping, plain_value, text_at
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import DISKS, emitted_in, pod_template, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant

# A scheduler puts no second pod with such a disk on a node, either (VolumeRestrictions in Kubernetes 1.37).
_OF_ONE_POD = frozenset({"awsElasticBlockStore", "gcePersistentDisk", "iscsi", "rbd"})
# Annotations by which Calico and Kube-OVN give a pod a fixed address.
_ADDRESSES = {
    "cni.projectcalico.org/ipAddrs",
    "cni.projectcalico.org/ipAddrsNoIpam",
    "ovn.kubernetes.io/ip_address",
    "ovn.kubernetes.io/mac_address",
}
# Multus' networks give a pod one where they name it.
_NETWORKS = "k8s.v1.cni.cncf.io/networks"
_MANY_NODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})
# Options with a file that Celery locks, or refuses to start with where it is there.
_LOCKED = ("--pidfile", "--statedb")
_LOG = "--logfile"
# Celery puts the node's name or its host there (node_format in celery/utils/nodenames.py), a shell a variable.
_OF_NODE = ("%h", "%p", "$")
# Volumes that each pod has for itself, or can't write to.
_OF_A_POD = frozenset({"name", "configMap", "downwardAPI", "emptyDir", "ephemeral", "image", "projected", "secret"})
_POD = "spec.template.spec"
_HOST = "kubernetes.io/hostname"
_REQUIRED = ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def node_hazards(resources: Resources, emitted: EmittedWorker, copies: Sequence[Variant]) -> Iterator[Problem]:
    """Yield warnings about what the pods of a worker and of its ``copies`` can't all have."""
    template = pod_template(emitted.resource)
    # Its place among the containers is another one where the scheduler has left it.
    emitted = emitted_in(emitted.service, emitted.resource) or emitted
    names = ", ".join(copy.deployment for copy in copies)
    place, node = _one_node(template)
    for field, message, remedy, severity in (
        *_node(place, node, names),
        *_volumes(resources, emitted.resource, template, names, on_one_node=bool(node)),
        *_network(template, names),
        *_devices(emitted, template, copies),
        *_files(resources, emitted, template, names),
    ):
        yield emitted.resource.problem(message, remedy, field=field, severity=severity)


def _one_node(template: Any) -> tuple[str, str]:
    """Return the one node that pods can go to, and the field that says so; both empty where there are others."""
    for *path, field in (("nodeName",), ("nodeSelector", _HOST)):
        node = text_at(template, "spec", *path, field)
        if node:
            return join(".".join(path), field), node
    terms = list_at(template, "spec", "affinity", *_REQUIRED)
    nodes = {_node_of(term) for term in terms}
    return (".".join(("affinity", *_REQUIRED)), str(*nodes)) if len(nodes) == 1 else ("", "")


def _node_of(term: Any) -> str:
    for listed, key in (("matchExpressions", _HOST), ("matchFields", "metadata.name")):
        for expression in list_at(term, listed):
            values = list_at(expression, "values")
            if (lookup(expression, "key"), lookup(expression, "operator"), len(values)) == (key, "In", 1):
                return str(values[0])
    return ""


def _node(place: str, node: str, names: str) -> Iterator[tuple[str, str, str, str]]:
    if place == "nodeName":
        # No scheduler looks whether there is room: the kubelet refuses the pod, and the next is made at once.
        message = (
            f"pods of {names} are put on node {node}, too, by no scheduler: those that don't fit fail, again and again"
        )
        yield f"{_POD}.{place}", message, f"Name the node in nodeSelector ({_HOST}), or leave nodeName out", WARNING
    elif node:
        message = f"pods of {names} go to node {node}, too: those that don't fit there stay Pending"
        yield f"{_POD}.{place}", message, "Where one node is meant for all of them, leave it so", INFO


def _volumes(
    resources: Resources, worker: Resource, template: Any, names: str, *, on_one_node: bool
) -> Iterator[tuple[str, str, str, str]]:
    for index, volume in enumerate(list_at(template, "spec", "volumes")):
        field = f"{_POD}.volumes[{index}]"
        for kind in sorted({*DISKS} & {*volume}) if isinstance(volume, dict) else ():
            is_written = plain_value(lookup(volume, kind, "readOnly")) is not True or kind == "awsElasticBlockStore"
            if is_written and (kind in _OF_ONE_POD or not on_one_node):
                yield field, *_of_one(f"have this disk ({kind})", names, of_pod=kind in _OF_ONE_POD), WARNING
        claim = text_at(volume, "persistentVolumeClaim", "claimName")
        claims = resources.find("PersistentVolumeClaim", claim, worker.namespace) if claim else []
        if claim and not claims and not on_one_node:
            message = f"whether more than one node can mount {claim} isn't known: the claim isn't in the build"
            remedy = f"Where it is ReadWriteOnce, pods of {names} on another node stay Pending"
            yield field, message, remedy, INFO
        for claimed in claims:
            modes = plain_value(lookup(claimed.tree, "spec", "accessModes"))
            if not isinstance(modes, list) or not modes:
                message = f"whether more than one node can mount {claim} isn't known: it has no list of accessModes"
                yield field, message, "State them: an API server refuses a claim without", WARNING
            elif not _MANY_NODES & {str(mode) for mode in modes}:
                of_pod = [str(mode) for mode in modes] == ["ReadWriteOncePod"]
                if on_one_node and not of_pod:
                    continue
                yield field, *_of_one(f"mount {claim} ({', '.join(map(str, modes))})", names, of_pod=of_pod), WARNING


def _of_one(what: str, names: str, *, of_pod: bool) -> tuple[str, str]:
    where, either = ("", "") if of_pod else (" on another node", ", or keep the workers on one node (affinity)")
    message = f"only one {'pod' if of_pod else 'node'} can {what}: pods of {names}{where} stay Pending"
    return message, f"Use a claim that is ReadWriteMany{either}"


def _network(template: Any, names: str) -> Iterator[tuple[str, str, str, str]]:
    annotations = mapping(lookup(template, "metadata", "annotations"))
    annotations_set = {_NETWORKS} if '"ips"' in str(annotations.get(_NETWORKS)) else set()
    for key in sorted((_ADDRESSES | annotations_set) & set(annotations)):
        message = f"asks for an address of its own, and pods of {names} would ask for the same"
        remedy = "Leave it out; an egress gateway or a NetworkPolicy tells pods apart by their labels"
        yield join("spec.template.metadata.annotations", key), message, remedy, WARNING
    if plain_value(lookup(template, "spec", "hostNetwork")) is True:
        yield f"{_POD}.hostNetwork", f"pods of {names} share their node's ports", "Leave hostNetwork out", WARNING
    for (listed, number), container in running(template):
        for index, port in enumerate(list_at(container, "ports")):
            found_port = plain_value(lookup(port, "hostPort"))
            if found_port:
                message = f"a node has port {found_port} once: pods of {names} on a node that has one stay Pending"
                yield f"{_POD}.{listed}[{number}].ports[{index}].hostPort", message, "Leave hostPort out", WARNING


def _devices(emitted: EmittedWorker, template: Any, copies: Sequence[Variant]) -> Iterator[tuple[str, str, str, str]]:
    names = ", ".join(copy.deployment for copy in copies)
    for index, claim in enumerate(list_at(template, "spec", "resourceClaims")):
        name = text_at(claim, "resourceClaimName")
        if name:
            message = f"the devices of {name} are where they are: pods of {names} share them, or stay Pending elsewhere"
            remedy = "Name a resourceClaimTemplateName, which gives each pod a claim of its own"
            yield f"{_POD}.resourceClaims[{index}]", message, remedy, WARNING
    for (listed, number), container in running(template):
        is_worker = (listed, number) == (emitted.listed, emitted.container)
        for name, amount in mapping(lookup(container, "resources", "limits")).items():
            is_device = name.startswith("hugepages-") or "/" in name
            # What the configuration says of it is meant.
            stated = [copy for copy in copies if is_worker and name in str(copy.settings.resources)]
            asking = ", ".join(copy.deployment for copy in copies if copy not in stated)
            if asking and is_device and str(amount) != "0":
                message = f"pods of {asking} ask for {amount} of {name} each, too: a node has so many and no more"
                remedy = "Where one queue needs it: take it out of Tutor's worker, and state it in that one's resources"
                yield f"{_POD}.{listed}[{number}].resources", message, remedy, INFO


def _files(
    resources: Resources, emitted: EmittedWorker, template: Any, names: str
) -> Iterator[tuple[str, str, str, str]]:
    volumes = {text_at(volume, "name"): volume for volume in list_at(template, "spec", "volumes")}
    for option, path in _paths(resources, emitted):
        mounts = [
            mount
            for mount in list_at(emitted.container_tree, "volumeMounts")
            if path.startswith(text_at(mount, "mountPath").rstrip("/") + "/")
        ]
        # The longest of those that it is below.
        mount = max(mounts, key=lambda item: len(text_at(item, "mountPath")), default=None)
        volume = volumes.get(text_at(mount, "name"))
        is_shared = isinstance(volume, dict) and bool({*volume} - _OF_A_POD) and is_null(lookup(mount, "subPathExpr"))
        if is_shared and not any(mark in path for mark in _OF_NODE):
            is_log = option == _LOG
            happens = "they write between each other's lines" if is_log else "only one of them can have it"
            message = f"{option}={path} is one file for the pods of {names}, too: {happens}"
            remedy = f"Put the node's name into it ({option}={path}.%p), or leave it out"
            yield emitted.field, message, remedy, INFO if is_log else WARNING


def _paths(resources: Resources, emitted: EmittedWorker) -> Iterator[tuple[str, str]]:
    """Yield the files that a worker is told to write, by option, variable or setting, each with the option's name."""
    line, celery = emitted.command_line, own_settings(resources, emitted)
    for option in (*_LOCKED, _LOG):
        if celery is None:
            yield option, line.option(option) or ""
            continue
        value = celery.command.option(option)
        if value is None and option == "--statedb":
            value = celery.settings.setting("CELERYD_STATE_DB", "")
        yield option, str(value.likely.value) if value is not None and value.likely is not None else ""
