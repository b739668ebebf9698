"""The Secrets of an export: their values stay out of it unless asked for, and an example lists what to fill in."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from kustomizer.errors import UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, plain_value

EXAMPLE = ".example"
"""The suffix of the example beside a file to fill in."""

_CREDENTIALS = re.compile(r"([a-z0-9+]+://)[^/;]*@")


def secret_values(secret: Resource) -> dict[str, str]:
    """Return the values of a Secret. Raises UserError where a line of an env file can't hold one."""
    values = {key: _decoded(secret, key, value) for key, value in (lookup(secret.tree, "data") or {}).items()}
    values |= {key: str(plain_value(text)) for key, text in (lookup(secret.tree, "stringData") or {}).items()}
    for key, text in values.items():
        if "\n" in text or "\r" in text or "\0" in text:
            raise _unfit(secret, key, "has a line break, which a line of an env file can't hold")
    return values


def _decoded(secret: Resource, key: str, value: object) -> str:
    try:
        return base64.b64decode("".join(str(value).split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _unfit(secret, key, "is not text") from None


def _unfit(secret: Resource, key: str, reason: str) -> UserError:
    remedy = "Keep it in a Secret of your own, and name that in the configuration"
    return UserError.of(reason, resource=secret.ref, field=f"data.{key}", remedy=remedy)


def env_file(values: dict[str, str]) -> str:
    """Return an env file for kustomize's secretGenerator (``envs``): its values aren't quoted."""
    return "".join(f"{key}={value}\n" for key, value in values.items())


def ignore_file(paths: Iterable[str]) -> str:
    """Return the .gitignore that keeps ``paths`` out of a repository."""
    return "".join(
        ["# The values of Secrets: each clone, or what deploys, fills them in.\n", *(f"/{p}\n" for p in paths)]
    )


def are_public(values: dict[str, str]) -> bool:
    """Tell whether all values of a Secret are addresses without credentials, as the site's ConfigMaps have them."""
    return all(value and "@" not in value and _masked(value) == value for value in values.values())


def example_file(name: str, values: dict[str, str]) -> str:
    """Return the env file without its values; addresses stay without their credentials."""
    head = f"# Copy this to {name}.env and fill in each value as it is: no quotes, no spaces around the `=`.\n"
    return head + env_file({key: _masked(value) for key, value in values.items()})


def _masked(value: str) -> str:
    """Return an address with its credentials masked; any other value becomes empty."""
    if "://" not in value:
        return ""
    masked = _CREDENTIALS.sub(r"\g<1>CREDENTIALS@", value)
    # The rest of the address may still hold a password.
    return "" if "?" in masked or masked.count("@") != masked.count("CREDENTIALS@") else masked
