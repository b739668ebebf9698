"""Makes the worker Deployments: Tutor's own restricted to its queues, and exact copies of it for the others."""

from __future__ import annotations

from kustomizer.config.layers import merge_by_name, merge_maps
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import is_null, lookup
from kustomizer.openedx.workers import NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant
    from kustomizer.worker_command.worker import CommandLine

# What the cluster autoscaler and Karpenter heed.
_PROTECTION = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
# Celery takes SIGTERM, which is what a pod gets, for a warm shutdown without a limit; SIGQUIT is the soft one
# (https://docs.celeryq.dev/en/stable/userguide/workers.html#soft-shutdown).
_SOFT_SHUTDOWN = ({"name": "REMAP_SIGTERM", "value": "SIGQUIT"},)
# Annotations of pods that name a container; an API server refuses an AppArmor profile for one that isn't there.
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_TERM_FIELDS = ("affinity", "topologySpreadConstraints")


def copy(emitted: EmittedWorker, variant: Variant) -> Resource:
    """Return a copy of Tutor's Deployment for ``variant``; to be made before that one is configured itself."""
    tree = emitted.resource.copy_tree()
    if lookup(tree, "spec", "selector", "matchLabels", NAME_LABEL) != emitted.deployment:
        raise UserError(
            Problem(
                message=f"selects no {NAME_LABEL}: {emitted.deployment}, by which its pods are told from its copies'",
                resource=emitted.resource.ref,
                field="spec.selector.matchLabels",
                remedy="Label the worker as Tutor does",
            )
        )
    _rename(tree, emitted, variant.deployment)
    configure(tree, emitted, variant)
    return Resource.new(tree, indent=emitted.resource.indent)


def _command_line(given: CommandLine, variant: Variant) -> CommandLine:
    result = given.with_option("--queues", ",".join(variant.queues)).without_option("--exclude-queues")
    if not variant.is_default and variant.service in OPEN_EDX_SERVICES:
        # Open edX's workers are named after their queue. Another application's keep the name they have: the pod in it
        # (%h) tells copies apart.
        result = result.with_option("--hostname", given.hostname_for(f"edx.{variant.service}.core.{variant.name}"))
    settings = variant.settings
    result = result.with_extra(settings.extra_args or ())
    if settings.concurrency is not None:
        result = result.with_option("--concurrency", str(settings.concurrency))
    if settings.disable_prefetch:
        result = result.with_option("--disable-prefetch")
    return result


def _rename(tree: dict[str, Any], emitted: EmittedWorker, name: str) -> None:
    old = emitted.deployment
    template = tree["spec"]["template"]
    container = template["spec"]["containers"][emitted.container]
    old_container = container.get("name")
    tree["metadata"]["name"] = name
    for path in (
        ("metadata", "labels"),
        ("spec", "selector", "matchLabels"),
        ("spec", "template", "metadata", "labels"),
    ):
        labels = lookup(tree, *path)
        if lookup(labels, NAME_LABEL) == old:
            labels[NAME_LABEL] = name
    for field in _TERM_FIELDS:
        _rename_in_terms(lookup(template, "spec", field), old, name)
    container["name"] = name
    _rename_container_references(template["spec"], old_container, name)
    annotations = lookup(template, "metadata", "annotations") or {}
    if lookup(annotations, _DEFAULT_CONTAINER) == old_container:
        annotations[_DEFAULT_CONTAINER] = name
    if f"{_APPARMOR}{old_container}" in annotations:
        annotations[f"{_APPARMOR}{name}"] = annotations.pop(f"{_APPARMOR}{old_container}")


def _rename_in_terms(node: Any, old: str, new: str) -> None:
    """Let the label selectors of affinity and topology terms name the copy where they named the worker."""
    if isinstance(node, list):
        for child in node:
            _rename_in_terms(child, old, new)
    elif isinstance(node, dict):
        if node.get("key") == NAME_LABEL and isinstance(node.get("values"), list):
            node["values"] = [new if value == old else value for value in node["values"]]
        for key, child in node.items():
            if key == NAME_LABEL and child == old:
                node[key] = new
            else:
                _rename_in_terms(child, old, new)


def _rename_container_references(node: Any, old: Any, new: str) -> None:
    """Follow the container's new name in ``resourceFieldRef.containerName`` (downward API)."""
    if isinstance(node, list):
        for child in node:
            _rename_container_references(child, old, new)
    elif isinstance(node, dict):
        for key, child in node.items():
            if key == "containerName" and child == old:
                node[key] = new
            else:
                _rename_container_references(child, old, new)


def configure(tree: dict[str, Any], emitted: EmittedWorker, variant: Variant) -> None:
    """Give a Deployment the queues of ``variant`` and what the configuration sets; a second time has no effect.

    ``emitted`` says how Celery is started, and in which container.
    """
    settings = variant.settings
    template = tree["spec"]["template"]
    pod = template["spec"]
    container = pod["containers"][emitted.container]
    _write_command_line(container, _command_line(emitted.command_line, variant))
    _set_replicas(tree["spec"], variant)
    env = [*(_SOFT_SHUTDOWN if variant.soft_shutdown else ()), *(settings.env or ())]
    _merge(merge_maps, container, "resources", settings.resources)
    _merge(merge_by_name, container, "env", env)
    _set(container, "livenessProbe", settings.liveness_probe)
    _set(container, "lifecycle", settings.lifecycle)
    _merge(merge_maps, pod, "nodeSelector", settings.node_selector)
    _set(pod, "tolerations", settings.tolerations)
    _set(pod, "affinity", settings.affinity)
    _set(pod, "topologySpreadConstraints", settings.topology_spread_constraints)
    _set(pod, "priorityClassName", settings.priority_class_name)
    _set(pod, "terminationGracePeriodSeconds", settings.termination_grace_period_seconds)
    annotations = {**(_PROTECTION if settings.protect_from_eviction else {}), **(settings.pod_annotations or {})}
    if annotations:
        if is_null(template.get("metadata")):
            template["metadata"] = {}
        _merge(merge_maps, template["metadata"], "annotations", annotations)


def _write_command_line(container: dict[str, Any], command_line: CommandLine) -> None:
    for field, words in (("command", command_line.command), ("args", command_line.args)):
        if words is not None:
            # A word that stays keeps its spelling, too.
            spelling = {str(word): word for word in container[field]}
            container[field] = [spelling.get(word, word) for word in words]


def _set_replicas(spec: dict[str, Any], variant: Variant) -> None:
    if variant.settings.keda_enabled:
        # kedacore/keda#5572: replicas in the manifest fight with the autoscaler at each apply.
        spec.pop("replicas", None)
    elif variant.settings.replicas is not None:
        spec["replicas"] = variant.settings.replicas
    elif not variant.is_default and not variant.has_autoscaler:
        # Stated, since a Deployment that an autoscaler left at 0 stays there when the manifest says nothing.
        spec.setdefault("replicas", 1)


def _merge(merge: Callable[[Any, Any], Any], target: dict[str, Any], field: str, value: Any) -> None:
    """Merge ``value``, where there is any, into what ``field`` holds; null is nothing to Kubernetes."""
    if value:
        given = target.get(field)
        target[field] = merge(None if is_null(given) else given, value)


def _set(target: dict[str, Any], field: str, value: Any) -> None:
    if value is not None:
        target[field] = value
