"""Lists are compared by what the API server's own schema says that it merges them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.changes.lists import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.control_plane.cluster import Cluster


def keyed_lists(definitions: dict[str, Any]) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Yield each list that has a key: where it is, its name, the key's fields, and all fields of an item."""
    for name, definition in definitions.items():
        for field, schema in definition.get("properties", {}).items():
            merge_key = schema.get("x-kubernetes-patch-merge-key")
            key = schema.get("x-kubernetes-list-map-keys") or ([merge_key] if merge_key else [])
            # What the cluster writes itself is in nobody's manifests.
            if schema.get("type") == "array" and key and not name.endswith("Status"):
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
