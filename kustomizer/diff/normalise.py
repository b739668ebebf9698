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
_NO_FIELDS: frozenset[str] = frozenset()
# Their pods can't be changed: another name in them is another Job.
_FIXED = ("Job", "Pod")


def normalised(tree: dict[str, Any], names: Mapping[str, str], real_names: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of ``tree`` with the names of generated ConfigMaps and Secrets replaced, and with queues in order.

    ``names`` replace references to an object. ``real_names`` replace names that count themselves: in objects that
    can't be changed, and in files, in which kustomize updates no references. Empty fields that mean nothing are gone.
    """
    kind = tree.get("kind")
    is_real = kind in GENERATED_KINDS or kind in _FIXED
    result = _mapping(tree, real_names if is_real else names, _EMPTY_OF_OBJECT)
    if kind in GENERATED_KINDS and "metadata" in tree:
        result["metadata"] = _node(tree["metadata"], names, "metadata")
    for container in containers(pod_template(result)):
        order_queues(container)
    return result


def _mapping(mapping: dict[str, Any], names: Mapping[str, str], may_be_empty: frozenset[str]) -> dict[str, Any]:
    """Return a copy of ``mapping`` without those of the fields ``may_be_empty`` that are, and without those below."""
    result = {}
    for key, node in mapping.items():
        value = _node(node, names, key)
        if key not in may_be_empty or value not in _NOTHING:
            result[_renamed(key, names)] = value
    return result


def _node(node: Any, names: Mapping[str, str], field: str) -> Any:
    """Return a copy of what stands in ``field``."""
    if isinstance(node, str):
        return _renamed(node, names)
    if isinstance(node, dict):
        return _mapping(node, names, _EMPTY.get(field, _NO_FIELDS))
    return [_node(value, names, field) for value in node] if isinstance(node, list) else node


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if "-" not in text or not names:
        return text
    return _GENERATED.sub(lambda match: names.get(match.group(), match.group()), text)
