"""Finds ConfigMaps whose content isn't what the hash in their name was made of: their pods aren't restarted."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.name_hashes import stem_of, suffixes
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import plain_value
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OURS = f"{CONFIG_MAP_SUFFIX}-"
"""Part of the names that the function gives ConfigMaps of its own; kustomize makes all other hashes, and last."""


def stale_config_maps(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Yield a warning for each ConfigMap whose name has another hash than its content."""
    for resource in resources:
        stem = stem_of(resource.name)
        if resource.kind != "ConfigMap" or stem == resource.name:
            continue
        hashes = suffixes(plain_value(resource.tree))
        if hashes and resource.name not in {f"{stem}-{suffix}" for suffix in hashes}:
            # Not which hash it would be: where a password is in the content, that lets it be guessed.
            message = "was changed after its name got a hash: pods that run with the old content aren't restarted"
            remedy = "Change it in the kustomization that generates it"
            if _OURS in resource.name:
                remedy = "Set spec.settings.names: Kustomize in the configuration, so that the hash is made last"
            yield resource.problem(message, remedy, field="data", severity=WARNING)


def stale_settings(data: bytes) -> list[Problem]:
    """Return the warnings for our own ConfigMaps in the output of a build; nothing else in it is parsed."""
    mark = _OURS.encode()
    texts = data.split(b"\n---\n") if mark in data else ()
    ours = [text.decode() for text in texts if mark in text and b"kind: ConfigMap\n" in text]
    return list(stale_config_maps(Resource(f"{text.rstrip()}\n") for text in ours))
