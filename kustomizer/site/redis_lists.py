"""The lists in Redis that a ScaledObject counts, and which of them are a worker's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.manifests.tree import lookup, mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kustomizer.manifests.resource import Resource
    from kustomizer.site.model import SiteWorker


def list_name(trigger: Mapping[str, Any]) -> str:
    """Return the Redis list that a trigger counts, empty where it counts something else."""
    name = mapping(trigger.get("metadata")).get("listName")
    return str(name) if name and str(trigger.get("type", "")).startswith("redis") else ""


def counted_lists(scaled_object: Resource) -> list[str]:
    """Return the Redis lists that a ScaledObject counts."""
    triggers = mappings(lookup(scaled_object.tree, "spec", "triggers"))
    return [name for trigger in triggers if (name := list_name(trigger))]


def key_prefix(worker: SiteWorker, lists: Collection[str]) -> str:
    """Return what stands before the names of a worker's queues and of its in-flight key in ``lists``.

    The worker's settings say so. Where they don't, a prefix is believed that stands before the in-flight key and before
    a queue of the worker: a queue alone may be the end of another queue's name.
    """
    if worker.key_prefix is not None:
        return worker.key_prefix
    before_key = {name.removesuffix(worker.unacked_key) for name in lists if name.endswith(worker.unacked_key)}
    prefixes = (prefix for prefix in sorted(before_key) for queue in worker.queues if f"{prefix}{queue}" in lists)
    return next(prefixes, "")
