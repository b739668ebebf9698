"""Finds the pod template of an object, its containers and its strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kustomizer.manifests.tree import list_at, lookup

COUNTED_KINDS = ("Deployment", "StatefulSet")
"""The workloads whose pods ``replicas`` counts."""
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"), ("template",))


def template_path(tree: Any) -> tuple[str, ...] | None:
    """Return the path of the pod template in an object of any kind; for a Pod, the empty path."""
    if lookup(tree, "kind") == "Pod":
        return ()
    for path in _TEMPLATES:
        if isinstance(lookup(tree, *path, "spec", "containers"), list):
            return path
    return None


def pod_template(tree: Any) -> Any:
    """Return the pod template of an object, None where it runs no pods."""
    path = template_path(tree)
    return None if path is None else lookup(tree, *path)


def containers(template: Any) -> Iterator[Any]:
    """Yield all containers of a pod template, init containers included."""
    for field in CONTAINER_LISTS:
        yield from list_at(template, "spec", field)


def strings(node: Any) -> Iterator[str]:
    """Yield every string in ``node``."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from strings(child)
