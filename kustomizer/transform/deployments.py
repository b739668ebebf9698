"""Makes the worker Deployments: Tutor's own restricted to its queues, and exact copies of it for the others."""

from __future__ import annotations

from kustomizer.config.layers import merge_by_name, merge_maps
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import UserError
from kustomizer.manifests.resource import LAST_APPLIED, Resource
from kustomizer.manifests.tree import is_null, lookup
from kustomizer.openedx.settings_volume import containers
from kustomizer.openedx.workers import NAME_LABEL
from kustomizer.transform.timeouts import PROTECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant
    from kustomizer.worker_command.command_line import CommandLine

# A pod gets SIGTERM, which Celery takes for a warm shutdown without a limit; SIGQUIT is the soft one
# (https://docs.celeryq.dev/en/stable/userguide/workers.html#soft-shutdown).
_SOFT_SHUTDOWN = ({"name": "REMAP_SIGTERM", "value": "SIGQUIT"},)
_OF_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_OF_LIVE_OBJECT = (
    *("deployment.kubernetes.io/revision", LAST_APPLIED),
    # Names the very object, by which Argo CD knows its own.
    "argocd.argoproj.io/tracking-id",
)
PROBES = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
# Stand within a word, beside letters and figures.
_OF_NAMES = ("_", "-", ".")
_TERM_FIELDS = ("affinity", "topologySpreadConstraints")


def copy(emitted: EmittedWorker, variant: Variant) -> Resource:
    """Return a copy of Tutor's Deployment for ``variant``; call it before Tutor's own is configured."""
    tree = emitted.resource.copy_tree()
    if lookup(tree, "spec", "selector", "matchLabels", NAME_LABEL) != emitted.deployment:
        message = f"selects no {NAME_LABEL}: {emitted.deployment}, which tells its pods from those of its copies"
        remedy = "Label the worker as Tutor does"
        raise UserError(emitted.resource.problem(message, remedy, field="spec.selector.matchLabels"))
    _drop_servers_own(tree)
    _rename(tree, emitted, variant.deployment)
    _rename_node(tree["spec"]["template"]["spec"]["containers"][emitted.container], emitted, variant)
    configure(tree, emitted, variant)
    return Resource.new(tree, indent=emitted.resource.indent)


def _drop_servers_own(tree: dict[str, Any]) -> None:
    """Drop what an API server sets, and refuses or believes of a new object: a site may be what `kubectl get` gave."""
    tree.pop("status", None)
    for field in _OF_SERVER:
        tree["metadata"].pop(field, None)
    annotations = lookup(tree, "metadata", "annotations")
    for name in _OF_LIVE_OBJECT if isinstance(annotations, dict) else ():
        annotations.pop(name, None)


def command_line(emitted: CommandLine, variant: Variant) -> CommandLine:
    """Return the command line of the worker ``variant``, made from that of Tutor's."""
    line = emitted.with_option("--queues", ",".join(variant.queues)).without_option("--exclude-queues")
    name = hostname(emitted, variant)
    if name:
        line = line.with_option("--hostname", name)
    settings = variant.settings
    line = line.with_extra(settings.extra_args or ())
    if settings.concurrency is not None:
        line = line.with_option("--concurrency", str(settings.concurrency))
    if settings.disable_prefetch:
        line = line.with_option("--disable-prefetch")
    return line


def hostname(emitted: CommandLine, variant: Variant) -> str:
    """Return the node's name of a copy, empty where it keeps its own.

    Open edX's workers are named after their queue. The name of another application's holds the pod's (%h), which tells
    copies apart.
    """
    if variant.is_default or variant.service not in OPEN_EDX_SERVICES:
        return ""
    return emitted.hostname_for(f"edx.{variant.service}.core.{variant.name}")


def _rename_node(container: dict[str, Any], emitted: EmittedWorker, variant: Variant) -> None:
    """Rename the node where probes and hooks ask for it (``inspect ping -d celery@edx.lms.core.default.$HOSTNAME``).

    A name without the host, or whose end hostname_for() can't keep, has no counterpart in a copy.
    """
    old, new = _node_prefixes(emitted, variant)
    for field in PROBES if has_own_name(emitted, variant) else ():
        if field in container:
            container[field] = _replaced(container[field], old, new)


def _node_prefixes(emitted: EmittedWorker, variant: Variant) -> tuple[str, str]:
    """Return the node names of the worker and of its copy, each up to the host."""
    line = emitted.command_line
    names = (line.hostname or "celery@%h", hostname(line, variant))
    old, new = (name.partition("%")[0].partition("$")[0] for name in names)
    return old, new


def has_own_name(emitted: EmittedWorker, variant: Variant) -> bool:
    """Tell whether the probes and hooks of the copy ``variant`` are made to ask for its own node."""
    old, new = _node_prefixes(emitted, variant)
    return emitted.command_line.names_host and bool(old and new) and old[-1] == new[-1]


def _replaced(node: Any, old: str, new: str) -> Any:
    if isinstance(node, list):
        return [_replaced(child, old, new) for child in node]
    if isinstance(node, dict):
        return {key: _replaced(child, old, new) for key, child in node.items()}
    if not isinstance(node, str) or old not in node:
        return node
    first, *parts = str(node).split(old)
    text = first
    for part in parts:
        # Part of a longer word it isn't the node's name, whose host the shell puts behind it: /tmp/lms-ready.
        is_node = not (text[-1:].isalnum() or text[-1:] in _OF_NAMES or part[:1].isalnum())
        # The percent sign is the one that Tutor 16 and 17 have in the name, see CommandLine.hostname_for().
        text += new + part.removeprefix("%") if is_node else old + part
    return text


def give_name(tree: dict[str, Any], name: str) -> None:
    """Name a Deployment's tree, and label it by that name where it was labelled by its old one."""
    old, tree["metadata"]["name"] = tree["metadata"]["name"], name
    for path in (
        ("metadata", "labels"),
        ("spec", "selector", "matchLabels"),
        ("spec", "template", "metadata", "labels"),
    ):
        labels = lookup(tree, *path)
        if lookup(labels, NAME_LABEL) == old:
            labels[NAME_LABEL] = name
    # Beside matchLabels it may say the same once more.
    _rename_at(lookup(tree, "spec", "selector", "matchExpressions"), NAME_LABEL, old, name)


def _rename(tree: dict[str, Any], emitted: EmittedWorker, name: str) -> None:
    old = emitted.deployment
    template = tree["spec"]["template"]
    container = template["spec"]["containers"][emitted.container]
    old_container = container.get("name")
    give_name(tree, name)
    for field in _TERM_FIELDS:
        _rename_at(lookup(template, "spec", field), NAME_LABEL, old, name)
    if any(lookup(other, "name") == name for other in containers(template)):
        # A sidecar has that name already, and a pod takes a name once.
        return
    container["name"] = name
    # What a variable takes from the container's resources (the downward API's resourceFieldRef).
    _rename_at(template["spec"], "containerName", old_container, name)
    annotations = lookup(template, "metadata", "annotations")
    if old_container and isinstance(annotations, dict):
        template["metadata"]["annotations"] = _renamed_annotations(annotations, str(old_container), name)


def _renamed_annotations(annotations: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Rename the container in annotations of pods that name one.

    An API server refuses an AppArmor profile for a container that is missing; Datadog and Fluent Bit pass over what is
    said of one (`ad.datadoghq.com/lms-worker.logs`, `fluentbit.io/parser-lms-worker`).
    """
    renamed = {key: _renamed_value(key, value, old, new) for key, value in annotations.items()}
    for key in annotations:
        if _renamed_key(key, old, new) != key:
            renamed[_renamed_key(key, old, new)] = renamed.pop(key)
    return renamed


def _renamed_key(key: str, old: str, new: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if name == old or name.startswith(f"{old}."):
        return f"{prefix}{slash}{new}{name.removeprefix(old)}"
    return f"{key.removesuffix(old)}{new}" if name.endswith((f"-{old}", f"_{old}")) else key


def _renamed_value(key: str, value: Any, old: str, new: str) -> Any:
    names = value.split(",") if "container" in key.rpartition("/")[2] and isinstance(value, str) else ()
    return ",".join(new if name == old else name for name in names) if old in names else value


def _rename_at(node: Any, field: str, old: str, new: str) -> None:
    """Write ``new`` in place of ``old`` wherever ``field`` has it, and where a selector's expression is about it."""
    if isinstance(node, list):
        for child in node:
            _rename_at(child, field, old, new)
    elif isinstance(node, dict):
        if node.get("key") == field and isinstance(node.get("values"), list):
            node["values"] = [new if value == old else value for value in node["values"]]
        for key, child in node.items():
            if key == field and child == old:
                node[key] = new
            else:
                _rename_at(child, field, old, new)


def configure(tree: dict[str, Any], emitted: EmittedWorker, variant: Variant) -> None:
    """Give a Deployment the queues and settings of ``variant``; a second time has no effect.

    ``emitted`` has the command line and the container that runs it.
    """
    settings = variant.settings
    template = tree["spec"]["template"]
    pod = template["spec"]
    container = pod["containers"][emitted.container]
    write_command_line(container, command_line(emitted.command_line, variant))
    _set_replicas(tree["spec"], variant)
    _set(tree["spec"], "strategy", _strategy(variant))
    env = [*(_SOFT_SHUTDOWN if variant.soft_shutdown else ()), *(settings.env or ())]
    _merge(merge_maps, container, "resources", settings.resources)
    if variant.unset_variables:
        from kustomizer.transform.worker_variables import unset  # noqa: PLC0415 - hardly any site has one

        unset(container, variant.unset_variables)
    _merge(merge_by_name, container, "env", env)
    _set(container, "livenessProbe", _liveness_probe(variant))
    _set(container, "lifecycle", settings.lifecycle)
    _merge(merge_maps, pod, "nodeSelector", settings.node_selector)
    _set(pod, "tolerations", settings.tolerations)
    _set(pod, "affinity", settings.affinity)
    _set(pod, "topologySpreadConstraints", settings.topology_spread_constraints)
    _set(pod, "priorityClassName", settings.priority_class_name)
    _set(pod, "terminationGracePeriodSeconds", settings.termination_grace_period_seconds)
    annotations = {**(PROTECTION if settings.protect_from_eviction else {}), **(settings.pod_annotations or {})}
    if annotations:
        if is_null(template.get("metadata")):
            template["metadata"] = {}
        _merge(merge_maps, template["metadata"], "annotations", annotations)


def write_command_line(container: dict[str, Any], command_line: CommandLine) -> None:
    """Give a container this command line; a word that stays keeps its spelling."""
    for field, words in (("command", command_line.command), ("args", command_line.args)):
        if words is not None:
            # An argument that stays keeps its spelling in YAML, too.
            spelling = {str(word): word for word in container[field]}
            container[field] = [spelling.get(word, word) for word in words]


def _set_replicas(spec: dict[str, Any], variant: Variant) -> None:
    if variant.settings.keda_enabled:
        # kedacore/keda#5572: replicas in the manifest fight with the autoscaler at each apply.
        spec.pop("replicas", None)
    elif variant.settings.replicas is not None:
        spec["replicas"] = variant.settings.replicas
    elif not variant.is_default and not variant.has_autoscaler:
        # Without replicas in the manifest, a Deployment that an autoscaler left at 0 stays at 0.
        spec.setdefault("replicas", 1)


def _strategy(variant: Variant) -> dict[str, Any] | None:
    strategy = variant.settings.strategy
    if strategy is None:
        return None
    update = strategy.rolling_update
    limits = {"maxSurge": update.max_surge, "maxUnavailable": update.max_unavailable} if update else {}
    stated = {key: value for key, value in limits.items() if value is not None}
    return {"type": "RollingUpdate", **({"rollingUpdate": stated} if stated else {})}


def _liveness_probe(variant: Variant) -> dict[str, Any] | None:
    given = variant.settings.liveness_probe
    if not isinstance(given, str):
        return given
    from kustomizer.openedx.consumer_watch import probe  # noqa: PLC0415 - few workers have it

    return probe()


def _merge(merge: Callable[[Any, Any], Any], target: dict[str, Any], field: str, value: Any) -> None:
    """Merge ``value``, where it isn't empty, into ``field``; to Kubernetes a null field is a missing one."""
    if value:
        present = target.get(field)
        target[field] = merge(None if is_null(present) else present, value)


def _set(target: dict[str, Any], field: str, value: Any) -> None:
    if value is not None:
        target[field] = value
