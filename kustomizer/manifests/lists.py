"""Takes lists of objects apart: `kubectl get -o yaml` prints ``kind: List``, the API ``kind: DeploymentList``."""

from __future__ import annotations

from kustomizer.errors import UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import is_null, lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LIST = "List"


def without_lists(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield the resources, and the items of a list one by one; of a list in a list too, as kustomize and kubectl do.

    Items of a typed list need no kind of their own. Without the field `items` it is an object to both, and stays.
    Raises UserError for an item that isn't an object.
    """
    waiting = [*resources][::-1]
    while waiting:
        resource = waiting.pop()
        is_typed = resource.kind.endswith(_LIST) and not resource.name
        # Another object with a name is no list, whatever its kind ends with.
        is_list = is_typed or (resource.api_version, resource.kind) == ("v1", _LIST)
        if is_list and "items" in resource.tree:
            waiting += [*_items(resource)][::-1]
        else:
            yield resource


def _items(resource: Resource) -> Iterator[Resource]:
    items = lookup(resource.tree, "items")
    if not is_null(items) and not isinstance(items, list):
        remedy = "Write `items: []` where it has none"
        raise UserError.of(f"the items of a {resource.kind} are no list", field="items", remedy=remedy)
    typed = {"apiVersion": resource.api_version, "kind": resource.kind.removesuffix(_LIST)}
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if is_null(item):
            continue
        if not isinstance(item, dict):
            raise UserError.of(f"an item of a {resource.kind} is not an object", field=f"items[{index}]")
        fields = {key: value for key, value in item.items() if key not in typed or not is_null(value)}
        yield Resource.new({**(typed if resource.kind != _LIST else {}), **fields}, indent=0)
