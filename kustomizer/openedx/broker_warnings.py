"""What a site's operator ought to know about a broker that KEDA and Flower read besides Open edX."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.openedx.env_file import use_ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.endpoint import Endpoint
    from kustomizer.openedx.env_file import EnvironmentFile

# What kombu (utils/url.py, connection.py) takes for the end of a host, of a URL or of an IPv6 address.
_NOT_IN_URLS = frozenset("/?#;[]")


def broker_notes(config: CeleryWorkers, file: EnvironmentFile, found: Endpoint) -> list[Problem]:
    """Return warnings about the broker ``found``, which Open edX reads out of ``file``."""
    notes = []

    def note(name: str, message: str, remedy: str) -> None:
        notes.append(file.problem(name, message, remedy, severity=WARNING))

    if found.password and _NOT_IN_URLS & set(file.values["CELERY_BROKER_PASSWORD"]):
        note(
            "CELERY_BROKER_PASSWORD",
            "has a '/', '?', '#', ';' or bracket, which ends the host in the URL that Open edX makes: its workers "
            "can't connect",
            "Percent-encode it in Tutor's REDIS_PASSWORD; it is decoded here as Celery does",
        )
    ssl = use_ssl(file)
    if not found.tls:
        if found.ca or found.client_cert or found.unsafe:
            notes.append(_plain_text(config, file))
        return notes
    if found.unsafe:
        return notes
    if ssl is True:
        note(
            "BROKER_USE_SSL",
            "is true, which Celery's Redis transport passes over: the workers talk plain text",
            "Write what it needs, {ssl_cert_reqs: required} for one; or, where plain text is meant, "
            "spec.broker.tls.enabled: false",
        )
    if found.ca is None and isinstance(ssl, dict) and ssl.get("ssl_ca_certs"):
        note(
            "BROKER_USE_SSL",
            "names a CA by a path in the worker's pod, which nobody else can read",
            "Set spec.broker.tls.ca to the Secret that holds it, unless a public CA signed the certificate",
        )
    elif found.ca is None and _is_unverified(ssl):
        note(
            "BROKER_USE_SSL",
            "lets the workers take any certificate, and KEDA and Flower check it",
            "Set spec.broker.tls.ca to the Secret with the CA that signed it (or unsafe: true), unless it is a public "
            "one",
        )
    if not found.client_cert and isinstance(ssl, dict) and ssl.get("ssl_certfile"):
        note(
            "BROKER_USE_SSL",
            "names a client certificate by a path in the worker's pod, which nobody else can read",
            "Set spec.broker.tls.clientCert to the Secret that holds it, if the broker asks for one",
        )
    return notes


def _plain_text(config: CeleryWorkers, file: EnvironmentFile) -> Problem:
    return Problem(
        message=f"says how to talk TLS, and by {file.owner.ref} the broker talks plain text",
        severity=WARNING,
        resource=config.ref,
        field="spec.broker.tls",
        remedy="Set spec.broker.tls.enabled: true where it talks TLS all the same, or take tls out",
    )


def _is_unverified(ssl: Any) -> bool:
    """Tell whether kombu checks no certificate; of itself it doesn't for ``rediss`` (kombu/utils/url.py)."""
    if not isinstance(ssl, dict):
        return not ssl
    return str(ssl.get("ssl_cert_reqs", "required")).upper().removeprefix("CERT_") in ("NONE", "0")
