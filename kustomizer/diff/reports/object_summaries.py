"""Summarises an added or destroyed object in a few words."""

from __future__ import annotations

from typing import Any

from kustomizer.diff.model import Comparison, ObjectChange
from kustomizer.diff.reports.values import is_one_line, one_line
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.system.visible import visible
from kustomizer.system.wording import joined

_SHOWN = 4


def what(change: ObjectChange, comparison: Comparison) -> str:
    """Return a summary of an added or destroyed object, empty where its kind and name are enough."""
    tree = mapping(change.tree)
    spec = mapping(tree.get("spec"))
    kind = change.id.kind
    if kind in ("ConfigMap", "Secret"):
        return _keys([*mapping(tree.get("data")), *mapping(tree.get("binaryData")), *mapping(tree.get("stringData"))])
    if kind in ("ScaledObject", "HorizontalPodAutoscaler"):
        low, high = ("minReplicaCount", "maxReplicaCount") if kind == "ScaledObject" else ("minReplicas", "maxReplicas")
        limits = [f"{word} {one_line(spec[name])}" for word, name in (("from", low), ("to", high)) if name in spec]
        return " ".join(["scales", _word(lookup(spec, "scaleTargetRef", "name")), *limits])
    if kind == "Service":
        ports = [_word(port.get("port")) for port in mappings(spec.get("ports"))]
        return f"port{'s' * (len(ports) > 1)} {joined(ports)}" if ports else ""
    if kind == "PersistentVolumeClaim":
        return _word(lookup(spec, "resources", "requests", "storage"))
    return _queues(change, comparison) or _images(spec)


def _queues(change: ObjectChange, comparison: Comparison) -> str:
    rows = comparison.queues[1 if change.action == "add" else 0]
    mine = [row for row in rows if (row.namespace, row.deployment) == (change.id.namespace, change.id.name)]
    if not mine or change.id.kind != "Deployment":
        return ""
    queues = [visible(row.queue) or "the queues that its settings name" for row in mine]
    return f"takes {joined(queues)}; {visible(str(mine[0].scaling))}"


def _images(spec: Any) -> str:
    template = lookup(spec, "jobTemplate", "spec", "template", "spec") or lookup(spec, "template", "spec")
    images = [_word(container.get("image")) for container in mappings(mapping(template).get("containers"))]
    return ", ".join(dict.fromkeys(image for image in images if image))


def _keys(names: list[str]) -> str:
    return joined([visible(name) for name in names], most=_SHOWN + 1) or "empty"


def _word(value: Any) -> str:
    return one_line(value) if value is not None and is_one_line(value) else ""
