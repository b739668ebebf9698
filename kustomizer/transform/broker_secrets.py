"""Secrets by which a pod reaches the broker: our own with its URL, and existing ones that the build makes."""

from __future__ import annotations

from kustomizer.errors import Problem
from kustomizer.manifests.resource import NEEDS_HASH_SUFFIX, Resource
from kustomizer.manifests.secret_data import encoded
from kustomizer.manifests.tree import lookup
from kustomizer.transform.broker_access import URL_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.broker_access import BrokerAccess


def url_secret(worker: Resource, metadata: dict[str, Any], url: str) -> Resource:
    """Return the Secret whose keys are all environment variables of the container."""
    return object_with_hash(worker, "Secret", metadata, {URL_VARIABLE: encoded(url)})


def object_with_hash(worker: Resource, kind: str, metadata: dict[str, Any], data: dict[str, Any]) -> Resource:
    """Return a ConfigMap or a Secret that asks kustomize for a hash in its name: a change then rolls the pod."""
    metadata["annotations"] = {**metadata["annotations"], NEEDS_HASH_SUFFIX: "enabled"}
    opaque = {"type": "Opaque"} if kind == "Secret" else {}
    return Resource.beside(worker, "v1", kind, metadata, **opaque, data=data)


def missing_keys(resources: Resources, reach: BrokerAccess, worker: Resource) -> list[Problem]:
    """Return problems of existing Secrets that lack what the pod needs, as far as the build shows them."""
    named = [(f"spec.broker: {name}", key.secret, key.key) for name, key in reach.secrets]
    if reach.ca:
        named.append(("spec.broker.tls.ca", reach.ca.secret, reach.ca.key))
    if reach.client_cert:
        named.append(("spec.broker.tls.clientCert", reach.client_cert, "tls.crt"))
    return [problem for field, name, key in named for problem in missing_key(resources, name, key, worker, field)]


def missing_key(resources: Resources, name: str, key: str, worker: Resource, field: str) -> list[Problem]:
    """Return the problem that the Secret ``name``, which ``field`` names, has no such key or is elsewhere."""
    for present in resources.find("Secret", name):
        if present.namespace == worker.namespace:
            if lookup(present.tree, "data", key) is None and lookup(present.tree, "stringData", key) is None:
                message = f"has no key {key}, which {field} names"
                return [present.problem(message, "Name a key that it has", field="data")]
            return []
        if lookup(present.tree, "metadata", "annotations", NEEDS_HASH_SUFFIX) == "enabled":
            # kustomize rewrites the name of a generated Secret within one namespace only.
            message = f"isn't in {worker.namespace}, the namespace of the pod, so that the pod refers to no Secret"
            remedy = f"Give its secretGenerator entry `namespace: {worker.namespace}`"
            return [present.problem(message, remedy, field="metadata.namespace")]
    return []
