"""Secrets that Flower reads: our own with the broker's URL, and checks of existing ones that the build makes."""

from __future__ import annotations

import binascii

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.resource import NEEDS_HASH_SUFFIX, Resource
from kustomizer.manifests.secret_data import encoded
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.transform.flower.broker_access import URL_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower
    from kustomizer.manifests.resource import Resources
    from kustomizer.transform.flower.broker_access import BrokerAccess


def secret(metadata: dict[str, Any], url: str, *, indent: int) -> Resource:
    """Return the Secret whose keys are all environment variables of Flower's container."""
    return object_with_hash("Secret", metadata, {URL_VARIABLE: encoded(url)}, indent=indent)


def object_with_hash(kind: str, metadata: dict[str, Any], data: dict[str, str], *, indent: int) -> Resource:
    """Return a ConfigMap or a Secret that asks kustomize for a hash in its name: a change then rolls the pod."""
    metadata["annotations"] = {**metadata["annotations"], NEEDS_HASH_SUFFIX: "enabled"}
    tree = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Secret":
        tree["type"] = "Opaque"
    return Resource.new({**tree, "data": data}, indent=indent)


def check_secrets(resources: Resources, flower: Flower, reach: BrokerAccess, worker: Resource) -> None:
    """Raise UserError where an existing Secret lacks what Flower needs, as far as the build shows it."""
    named = [(f"spec.broker: {name}", key.secret, key.key) for name, key in reach.secrets]
    if reach.ca:
        named.append(("spec.broker.tls.ca", reach.ca.secret, reach.ca.key))
    if reach.client_cert:
        named.append(("spec.broker.tls.clientCert", reach.client_cert, "tls.crt"))
    problems = []
    for field, name, key in named:
        problems += _problems(resources, name, key, worker, field)
    if flower.basic_auth is not None:
        existing = flower.basic_auth.existing_secret
        field = "spec.flower.basicAuth.existingSecret"
        problems += _problems(resources, existing.name, existing.key, worker, field)
        if not problems:
            problems += _unusable_credentials(resources, existing.name, existing.key, worker, field)
    if problems:
        raise UserError(*problems)


def _problems(resources: Resources, name: str, key: str, worker: Resource, field: str) -> list[Problem]:
    for present in resources.find("Secret", name):
        if present.namespace == worker.namespace:
            if lookup(present.tree, "data", key) is None and lookup(present.tree, "stringData", key) is None:
                message = f"has no key {key}, which {field} names"
                return [Problem(message=message, resource=present.ref, field="data", remedy="Name a key that it has")]
            return []
        if lookup(present.tree, "metadata", "annotations", NEEDS_HASH_SUFFIX) == "enabled":
            # kustomize rewrites the name of a generated Secret within one namespace only.
            message = f"isn't in {worker.namespace}, the namespace of Flower's pod, so that the pod refers to no Secret"
            remedy = f"Give its secretGenerator entry `namespace: {worker.namespace}`"
            return [Problem(message=message, resource=present.ref, field="metadata.namespace", remedy=remedy)]
    return []


def _unusable_credentials(resources: Resources, name: str, key: str, worker: Resource, field: str) -> list[Problem]:
    """Return problems with credentials that let nobody in, or that Flower takes for two; the value isn't quoted."""
    for present in resources.find("Secret", name, worker.namespace):
        value = _value(present, key)
        if value is None:
            continue
        user, colon, password = value.partition(":")
        reason = ""
        if value != value.strip():
            reason = "begins or ends with white space, such as the newline that an editor leaves"
        elif not (user and colon and password):
            reason = "isn't user:password"
        elif "," in value:
            reason = "has a comma, at which Flower splits it into several"
        if reason:
            remedy = "Write user:password into it, with `printf %s` or as a line of an `envs` file"
            return [Problem(message=f"{key} {reason} ({field})", resource=present.ref, field="data", remedy=remedy)]
    return []


def _value(present: Resource, key: str) -> str | None:
    stated = plain_value(lookup(present.tree, "stringData", key))
    if stated is not None:
        return str(stated)
    encoded = plain_value(lookup(present.tree, "data", key))
    if encoded is None:
        return None
    try:
        return binascii.a2b_base64(str(encoded)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
