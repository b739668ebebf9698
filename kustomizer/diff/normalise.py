"""Removes meaningless differences from an object: hashes in generated names, the order of a worker's queues."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kustomizer.diff.changes.arguments import order_queues
from kustomizer.manifests.name_hashes import GENERATED_KINDS
from kustomizer.manifests.pods import containers, pod_template

if TYPE_CHECKING:
    from collections.abc import Mapping

# Matches whole words only, so that a file of one long word is scanned once.
_GENERATED = re.compile(r"(?<![-.a-z0-9])[-.a-z0-9]*-[2456789bcdfghkmt]{10}(?![-.a-z0-9])")
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
    return tree


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of ``node`` with the names in its strings replaced."""
    if isinstance(node, dict):
        return {_renamed_in_text(key, names): _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value, names) for value in node]
    return _renamed_in_text(node, names) if isinstance(node, str) else node


def _renamed_in_text(text: str, names: Mapping[str, str]) -> str:
    if "-" not in text or not names:
        return text
    return _GENERATED.sub(lambda match: names.get(match.group(), match.group()), text)
