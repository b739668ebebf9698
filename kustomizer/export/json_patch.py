"""Derives the JSON patch (RFC 6902) that turns an object of the function's input into that of its output.

A strategic merge can't express every change, such as another order of a list, and it can't remove a field of an object
that kustomize has no schema for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kustomizer.manifests.equality import same

Operation = dict[str, Any]


def operations(before: Any, after: Any, path: str = "") -> Iterator[Operation]:
    """Yield the operations that turn ``before`` into ``after``, both plain values.

    A ``test`` of the element's name precedes operations in a list: a build over a site that changed since then fails
    before it changes another container or volume.
    """
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and _has_elements_to_match(before, after):
        yield from _of_lists(before, after, path)
    else:
        yield {"op": "replace", "path": path, "value": after}


def _of_mappings(before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[Operation]:
    for key in before:
        if key not in after:
            yield {"op": "remove", "path": f"{path}/{_escaped(key)}"}
    for key, value in after.items():
        if key in before:
            yield from operations(before[key], value, f"{path}/{_escaped(key)}")
        else:
            yield {"op": "add", "path": f"{path}/{_escaped(key)}", "value": value}


def _has_elements_to_match(before: list[Any], after: list[Any]) -> bool:
    return len(before) <= len(after) and all(isinstance(element, dict) for element in (*before, *after))


def _of_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Operation]:
    for position, element in enumerate(after):
        item_path = f"{path}/{position}"
        if position >= len(before):
            yield {"op": "add", "path": f"{path}/-", "value": element}
        elif not same(before[position], element):
            name = before[position].get("name")
            if isinstance(name, str):
                yield {"op": "test", "path": f"{item_path}/name", "value": name}
            renamed = {**before[position], "name": element.get("name")}
            if name == element.get("name") or ("name" in before[position] and same(renamed, element)):
                yield from operations(before[position], element, item_path)
            else:
                yield {"op": "replace", "path": item_path, "value": element}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
