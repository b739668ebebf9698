"""Checks the types of the fields of a worker's Deployment that the function reads or changes."""

from __future__ import annotations

from kustomizer.errors import UserError
from kustomizer.manifests.tree import is_null, lookup, number_at, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.openedx.workers import EmittedWorker

_TEMPLATE = ("spec", "template")
_POD = ("spec", "template", "spec")
_MAPPINGS = (
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("spec", "selector"),
    ("spec", "selector", "matchLabels"),
    (*_TEMPLATE, "metadata"),
    (*_TEMPLATE, "metadata", "labels"),
    (*_TEMPLATE, "metadata", "annotations"),
    (*_POD, "nodeSelector"),
)
_LISTS = ((*_POD, "volumes"), (*_POD, "initContainers"), (*_POD, "containers"))
_REPLICAS = ("spec", "replicas")
_NUMBERS = (_REPLICAS, (*_POD, "terminationGracePeriodSeconds"))
_LISTS_OF_CONTAINER = ("env", "volumeMounts")


def check_shape(worker: EmittedWorker) -> None:
    """Raise UserError for what has another type than Kubernetes gives it; null is absent."""
    remedy = "Mend the patch that writes it"
    problems = [
        worker.resource.problem(f"isn't {wanted}", remedy, field=field)
        for field, wanted in _faults(worker.resource.tree)
    ]
    if problems:
        raise UserError(*problems)


def _faults(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path in _MAPPINGS:
        if not _is(lookup(tree, *path), dict):
            yield ".".join(path), "a mapping"
    for path in _NUMBERS:
        stated = lookup(tree, *path)
        # Flux puts the number of pods in the place of ${NAME} when it applies the build.
        is_put_later = path == _REPLICAS and "${" in str(stated)
        if not is_null(stated) and number_at(tree, *path) is None and not is_put_later:
            yield ".".join(path), "a whole number"
    for path in _LISTS:
        items = lookup(tree, *path)
        if not _is(items, list):
            yield ".".join(path), "a list"
        for index, item in enumerate(items if type(items) is list else ()):
            list_path = f"{'.'.join(path)}[{index}]"
            if type(item) is not dict:
                yield list_path, "a mapping"
            elif path[-1] != "volumes":
                yield from _faults_of_container(item, list_path)


def _faults_of_container(container: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    if not _is(container.get("resources"), dict):
        yield f"{place}.resources", "a mapping"
    for field in ("command", "args"):
        words = container.get(field)
        for index, word in enumerate(words if type(words) is list else ()):
            # Options are none of YAML's numbers, for which a regular expression would be needed.
            is_option = isinstance(word, str) and word[:1] == "-" and (word[1:2].isalpha() or word[1:2] == "-")
            if not is_option and not isinstance(plain_value(word), str):
                yield f"{place}.{field}[{index}]", "a string: it needs quotes"
    for field in _LISTS_OF_CONTAINER:
        items = container.get(field)
        if not _is(items, list):
            yield f"{place}.{field}", "a list"
        for index, item in enumerate(items if type(items) is list else ()):
            if type(item) is not dict or not isinstance(item.get("name"), str) or is_null(item["name"]):
                yield f"{place}.{field}[{index}]", "a mapping with a name"
            elif not isinstance(plain_value(item.get("value")), (str, type(None))):
                yield f"{place}.{field}[{index}].value", "a string: it needs quotes"


def _is(node: Any, kind: type) -> bool:
    return is_null(node) or type(node) is kind
