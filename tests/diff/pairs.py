"""Two builds for a test: from YAML, or of a real site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.manifests.name_hashes import suffixes
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.masking.marks import CHANGED_SECRET, SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence


def resources(output: bytes | str) -> Resources:
    """Return what a build printed."""
    return Resources(read_stream(output.encode() if isinstance(output, str) else output, b"{}\n").resources)


def of_trees(*trees: dict[str, Any]) -> Resources:
    """Return a build of these objects."""
    return Resources([Resource.new(tree, indent=0) for tree in trees])


def generated(name: str, data: dict[str, str], *, kind: str = "ConfigMap", **more: Any) -> dict[str, Any]:
    """Return an object with the name that kustomize gives it."""
    tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "openedx"}, "data": data, **more}
    tree["metadata"]["name"] = f"{name}-{suffixes(tree)[0]}"
    return tree


def workload(name: str, *volumes: dict[str, Any], kind: str = "Deployment", **container: Any) -> dict[str, Any]:
    """Return what runs pods with these volumes."""
    spec = {"containers": [{"name": name, "image": "openedx", **container}], "volumes": list(volumes)}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    api_version = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    below = {"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else None
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "openedx"},
        "spec": below or {"template": template},
    }


def unchanged_secrets(node: Any) -> Any:
    """Return ``node`` without the difference between a secret and another one."""
    if isinstance(node, dict):
        return {unchanged_secrets(key): unchanged_secrets(value) for key, value in node.items()}
    if isinstance(node, list):
        return [unchanged_secrets(value) for value in node]
    return node.replace(CHANGED_SECRET, SECRET) if isinstance(node, str) else node


def shuffled(trees: Sequence[dict[str, Any]], order: Sequence[int]) -> Resources:
    """Return a build of these objects in another order."""
    return of_trees(*(trees[index] for index in order))
