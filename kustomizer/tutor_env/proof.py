"""Holds a build of env/ with the split in it to what the function made, object by object."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kustomizer.config.values import join
from kustomizer.errors import Problem
from kustomizer.export.json_patch import operations
from kustomizer.export.parts import object_of
from kustomizer.manifests.equality import same
from kustomizer.manifests.name_hashes import GENERATED_KINDS, stem_of
from kustomizer.manifests.resource import Resource

_REMEDY = (
    "Use an overlay in place of the split in env/ (KUSTOMIZER_OVERLAY), and please report it with the plugins' names"
)


def differences(built: Iterable[Resource], made: Iterable[Resource]) -> Iterator[Problem]:
    """Yield what isn't in ``built`` as it is in ``made``, but for the hashes behind generated names."""
    expected = {_identity(resource): resource for resource in made}
    resources = list(built)
    names = _plain_names(resources, expected)
    seen = set()
    changed: dict[str, list[str]] = {}
    for resource in resources:
        identity = (resource.api_version, resource.kind, resource.namespace, names.get(resource.name, resource.name))
        seen.add(identity)
        wanted = expected.get(identity)
        if wanted is None:
            yield _problem(resource, "would be in env/ and isn't what the function made")
        elif _text(resource, names) != wanted.render():
            tree = _renamed(object_of(resource), names)
            if not same(tree, object_of(wanted)):
                changes = operations(object_of(wanted), tree)
                paths = sorted({_field(str(change["path"])) for change in changes if change["op"] != "test"})
                changed.setdefault(", ".join(paths), []).append(str(resource.ref))
    for fields, objects in changed.items():
        message = f"would differ from what the function made in {fields}: something in env/ changes it again"
        yield Problem(message=f"{', '.join(objects)}: {message}", remedy=_REMEDY)
    for identity, resource in expected.items():
        if identity not in seen:
            yield _problem(resource, "would be missing in env/")


def _field(pointer: str) -> str:
    """Return a JSON pointer as messages name a field; what is added to a list is in the list."""
    keys = (key.replace("~1", "/").replace("~0", "~") for key in pointer.removesuffix("/-").split("/")[1:])
    return functools.reduce(join, (int(key) if key.isdecimal() else key for key in keys), "")


def _problem(resource: Resource, message: str) -> Problem:
    return Problem(message=message, resource=resource.ref, remedy=_REMEDY)


def _identity(resource: Resource) -> tuple[str, str, str, str]:
    return (resource.api_version, resource.kind, resource.namespace, resource.name)


def _plain_names(found: Iterable[Resource], expected: Mapping[tuple[str, str, str, str], Resource]) -> dict[str, str]:
    """Return the generated names with a hash, each with the name that it has without."""
    return {
        resource.name: stem_of(resource.name)
        for resource in found
        if resource.kind in GENERATED_KINDS
        and _identity(resource) not in expected
        and (resource.api_version, resource.kind, resource.namespace, stem_of(resource.name)) in expected
    }


def _text(resource: Resource, names: Mapping[str, str]) -> str:
    """Return the object's text with its generated names as they are without a hash: equal texts needn't be parsed."""
    text = resource.text
    for name, stem in names.items():
        if name in text:
            text = text.replace(name, stem)
    return text


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
