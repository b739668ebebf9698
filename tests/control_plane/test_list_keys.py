"""Lists are compared by what the API server's own schema says that it merges them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.changes.trees import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.control_plane.cluster import Cluster


def refs(node: Any) -> Iterator[str]:
    """Yield the names of the definitions that one refers to."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref" and isinstance(value, str))
    for below in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from refs(below)


def keyed_lists(definitions: dict[str, Any]) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Yield each list that has a key: where it is, its name, the key's fields, and all fields of an item."""
    # What the cluster writes itself is in nobody's manifests.
    ours = {name: definition for name, definition in definitions.items() if not name.endswith("Status")}
    named = {ref.rpartition("/")[2] for definition in ours.values() for ref in refs(definition)}
    for name, definition in ours.items():
        if name not in named and "x-kubernetes-group-version-kind" not in definition:
            continue
        for field, schema in definition.get("properties", {}).items():
            merge_key = schema.get("x-kubernetes-patch-merge-key")
            key = schema.get("x-kubernetes-list-map-keys") or ([merge_key] if merge_key else [])
            if schema.get("type") == "array" and key:
                item = definitions[schema["items"]["$ref"].rpartition("/")[2]]
                yield name, field, key, sorted(item["properties"])


def test_lists_are_keyed_as_the_server_keys_them(cluster: Cluster) -> None:
    found = [*keyed_lists(cluster.request("GET", "/openapi/v2")["definitions"])]
    assert len(found) > 25
    wrong = []
    for name, field, key, every_field in found:
        # An item that states its key alone, and one that states everything.
        for fields in (key, every_field):
            item = dict.fromkeys(fields, "value")
            ours = keys(field, [item], [item])
            if ours is None or {each for each, _ in ours[0][0].fields} != set(key):
                wrong.append(f"{name}.{field}: {key}, not {ours}")
    assert wrong == []
