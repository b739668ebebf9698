"""Reads from a built ScaledObject which lists in Redis it counts, and which of them are a worker's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings, text_at
from kustomizer.site.model import SiteWorker


def list_name(trigger: Mapping[str, Any]) -> str:
    """Return the Redis list that a trigger counts, empty where it counts something else."""
    name = mapping(trigger.get("metadata")).get("listName")
    return str(name) if name and str(trigger.get("type", "")).startswith("redis") else ""


def is_of_priority(name: str, queue: str) -> bool:
    """Tell whether a list holds those tasks of a queue that have a priority, whatever separator the site has."""
    rest = name.removeprefix(queue)
    return rest != name and rest[-1:].isdigit() and not (rest[0].isalnum() or rest[0] in "._-")


def formula(scaled_object: Resource) -> str:
    """Return the formula that replaces the triggers, empty where there is none."""
    return text_at(scaled_object.tree, "spec", "advanced", "scalingModifiers", "formula")


def counted_lists(scaled_object: Resource) -> list[str]:
    """Return the Redis lists that a ScaledObject counts; with a formula KEDA counts only the triggers that it names."""
    triggers = mappings(lookup(scaled_object.tree, "spec", "triggers"))
    words = set(re.findall(r"\w+", formula(scaled_object)))
    return [
        name for trigger in triggers if (name := list_name(trigger)) and (not words or trigger.get("name") in words)
    ]


def is_ours(scaled_object: Resource) -> bool:
    """Tell whether the function made a ScaledObject, so that the configuration can change it.

    The triggers of tutor-contrib-celery's have no names.
    """
    triggers = mappings(lookup(scaled_object.tree, "spec", "triggers"))
    target = lookup(scaled_object.tree, "spec", "scaleTargetRef", "name")
    return scaled_object.name == f"{target}-scaledobject" and bool(triggers) and triggers[0].get("name") == "queued1"


def key_prefix(worker: SiteWorker, lists: Collection[str]) -> str:
    """Return the key prefix of a worker's queues and in-flight key in ``lists``.

    The worker's settings state it. Where they don't, it is a prefix that both the in-flight key and a queue of the
    worker have: one that only a queue has may be part of another queue's name.
    """
    if worker.key_prefix is not None:
        return worker.key_prefix
    before_key = {name.removesuffix(worker.unacked_key) for name in lists if name.endswith(worker.unacked_key)}
    prefixes = (prefix for prefix in sorted(before_key) for queue in worker.queues if f"{prefix}{queue}" in lists)
    return next(prefixes, "")
