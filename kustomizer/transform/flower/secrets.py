"""Checks of the existing Secrets that Flower reads, which the build makes."""

from __future__ import annotations

import binascii

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.transform.broker_secrets import missing_key, missing_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.flower import Flower
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.transform.broker_access import BrokerAccess


def check_secrets(resources: Resources, flower: Flower, reach: BrokerAccess, worker: Resource) -> None:
    """Raise UserError where an existing Secret lacks what Flower needs, as far as the build shows it."""
    problems = missing_keys(resources, reach, worker)
    if flower.basic_auth is not None:
        existing = flower.basic_auth.existing_secret
        field = "spec.flower.basicAuth.existingSecret"
        problems += missing_key(resources, existing.name, existing.key, worker, field)
        if not problems:
            problems += _unusable_credentials(resources, existing.name, existing.key, worker, field)
    if problems:
        raise UserError(*problems)


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
            return [present.problem(f"{key} {reason} ({field})", remedy, field="data")]
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
