"""Secrets that a controller makes in the cluster from another object of the build, or copies between namespaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.site.model import Site

_CLUSTER_WIDE = "ClusterExternalSecret"
# The fields that name the Secret, the first that is there; without one it has the name of the object itself.
_MAKERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ExternalSecret": (("spec", "target", "name"),),
    "SealedSecret": (("spec", "template", "metadata", "name"),),
    "Certificate": (("spec", "secretName"),),
    "OnePasswordItem": (),
    "VaultStaticSecret": (("spec", "destination", "name"),),
    "VaultDynamicSecret": (("spec", "destination", "name"),),
    "InfisicalSecret": (("spec", "managedSecretReference", "secretName"),),
    _CLUSTER_WIDE: (("spec", "externalSecretSpec", "target", "name"), ("spec", "externalSecretName")),
}
# https://github.com/emberstack/kubernetes-reflector
_REFLECTOR = "reflector.v1.k8s.emberstack.com/reflection-"
# https://github.com/mittwald/kubernetes-replicator
_REPLICATE_TO = "replicator.v1.mittwald.de/replicate-to"


def is_made(site: Site, kind: str, name: str, namespace: str) -> bool:
    """Tell whether a controller puts the ConfigMap or Secret of this name into ``namespace``."""
    if kind not in {"ConfigMap", "Secret"}:
        return False
    if any(_is_copied_to(original, namespace) for original in site.resources.find(kind, name)):
        return True
    return kind == "Secret" and name in _made_in(site, namespace)


def _made_in(site: Site, namespace: str) -> Iterator[str]:
    for kind, paths in _MAKERS.items():
        for maker in site.resources.of_kind(kind):
            if maker.namespace == namespace or kind == _CLUSTER_WIDE:
                yield _named(maker, paths)


def _named(maker: Resource, paths: tuple[tuple[str, ...], ...]) -> str:
    names = (plain_value(lookup(maker.tree, *path)) for path in paths)
    return next((name for name in names if isinstance(name, str) and name), maker.name)


def _is_copied_to(original: Resource, namespace: str) -> bool:
    annotations = plain_value(lookup(original.tree, "metadata", "annotations"))
    if not isinstance(annotations, dict):
        return False
    if str(annotations.get(f"{_REFLECTOR}auto-enabled")).lower() == "true":
        allowed = str(annotations.get(f"{_REFLECTOR}allowed")).lower() == "true"
        return allowed and all(
            _matches(str(annotations.get(f"{_REFLECTOR}{field}") or ""), namespace)
            for field in ("allowed-namespaces", "auto-namespaces")
        )
    return bool(annotations.get(_REPLICATE_TO)) and _matches(str(annotations[_REPLICATE_TO]), namespace)


def _matches(patterns: str, namespace: str) -> bool:
    """Tell whether one of the regular expressions, separated by commas, matches ``namespace``; none matches all."""
    for pattern in filter(None, map(str.strip, patterns.split(","))):
        try:
            if re.fullmatch(pattern, namespace):
                return True
        except re.error:
            continue
    return not patterns.strip()
