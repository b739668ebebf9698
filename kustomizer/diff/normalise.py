"""Removes meaningless differences from an object: hashes in generated names, the order of a worker's queues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kustomizer.diff.changes.arguments import order_queues
from kustomizer.manifests.name_hashes import GENERATED_KINDS
from kustomizer.manifests.pods import containers, pod_template

# Matches whole words only, so that a file of one long word is scanned once.
_GENERATED = re.compile(r"(?<![-.a-z0-9])[-.a-z0-9]*-[2456789bcdfghkmt]{10}(?![-.a-z0-9])")
_POD_FIELDS = frozenset({"resources", "securityContext"})
_NOTHING: tuple[None, dict[str, Any]] = (None, {})
_EMPTY_OF_OBJECT = frozenset({"status"})
_EMPTY = {
    "metadata": frozenset({"annotations", "creationTimestamp", "labels"}),
    "spec": frozenset({"resources", "securityContext", "strategy", "updateStrategy"}),
    "containers": _POD_FIELDS,
    "initContainers": _POD_FIELDS,
    "template": frozenset({"metadata"}),
    "volumeClaimTemplates": frozenset({"status"}),
}
"""Fields, by the name of their parent, that mean nothing where they are null or empty.

`kubectl create --dry-run` prints such ones.
"""
# Their pods can't be changed: another name in them is another Job.
_FIXED = ("Job", "Pod")


def normalised(tree: dict[str, Any], names: Mapping[str, str], real_names: Mapping[str, str]) -> dict[str, Any]:
    """Return ``tree`` with the names of generated ConfigMaps and Secrets replaced, and with queues in order.

    ``names`` replace references to an object. ``real_names`` replace names that count themselves: in objects that
    can't be changed, and in files, in which kustomize updates no references.
    """
    kind = tree.get("kind")
    if kind in GENERATED_KINDS:
        kept = {key: _renamed(value, real_names) for key, value in tree.items() if key != "metadata"}
        tree = {key: kept.get(key, value) for key, value in tree.items()}
        tree["metadata"] = _renamed(tree.get("metadata"), names)
    else:
        tree = _renamed(tree, real_names if kind in _FIXED else names)
    for container in containers(pod_template(tree)):
        order_queues(container)
    return _without_empty(tree, _EMPTY_OF_OBJECT)


def _without_empty(mapping: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return ``mapping`` without empty fields that mean nothing, ``names`` among its own, and those below."""
    fields = {key: _below(value, key) for key, value in mapping.items()}
    return {key: value for key, value in fields.items() if key not in names or value not in _NOTHING}


def _below(node: Any, field: str) -> Any:
    if isinstance(node, dict):
        return _without_empty(node, _EMPTY.get(field, frozenset()))
    return [_below(value, field) for value in node] if isinstance(node, list) else node


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of ``node`` with the names in its strings replaced."""
    if isinstance(node, str):
        return _renamed_in_text(node, names)
    if isinstance(node, dict):
        return {_renamed_in_text(key, names): _renamed(value, names) for key, value in node.items()}
    return [_renamed(value, names) for value in node] if isinstance(node, list) else node


def _renamed_in_text(text: str, names: Mapping[str, str]) -> str:
    if "-" not in text or not names:
        return text
    return _GENERATED.sub(lambda match: names.get(match.group(), match.group()), text)
