"""Takes lists of objects apart: `kubectl get -o yaml` prints ``kind: List``, the API ``kind: DeploymentList``."""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_LIST = "List"


def without_lists(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield the resources, and the items of a list one by one.

    Items of a typed list need no kind of their own. Raises UserError for an item that isn't an object.
    """
    for resource in resources:
        items = _items(resource)
        if items is None:
            yield resource
            continue
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise UserError(
                    Problem(message=f"an item of a {resource.kind} is not an object", field=f"items[{index}]")
                )
            typed = {"apiVersion": resource.api_version, "kind": resource.kind.removesuffix(_LIST)}
            yield Resource.new({**(typed if resource.kind != _LIST else {}), **item}, indent=0)


def _items(resource: Resource) -> list[Any] | None:
    """Return the items of a list; an object with a name is none, whatever its kind ends with."""
    if not resource.kind.endswith(_LIST) or resource.name:
        return None
    items = lookup(resource.tree, "items")
    return items if isinstance(items, list) else None
