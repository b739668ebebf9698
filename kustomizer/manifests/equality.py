"""Compares objects, and plain values as YAML and JSON have them."""

from __future__ import annotations

from typing import Any

from kustomizer.manifests.resource import Resource


def is_same_text(old: Resource, new: Resource) -> bool:
    """Tell whether two objects have the same text, without parsing it."""
    return old.text == new.text != ""


def same(before: Any, after: Any) -> bool:
    """Tell whether two plain values are the same, of the same type: 1 isn't ``"1"``, nor true, nor 1.0."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(same(value, after[key]) for key, value in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(same, before, after))
    return bool(before == after) or (before != before and after != after)  # noqa: PLR0124 - not a number
