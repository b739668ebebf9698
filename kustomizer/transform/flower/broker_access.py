"""How Flower reaches the broker: a URL in a Secret, and a ``celeryconfig.py`` for what no URL can say.

Flower hands ``broker_use_ssl`` and ``broker_transport_options`` to its own Redis client as well as to Celery
(flower/views/broker.py); what stands in the URL's query reaches only one of the two. With a key prefix, Sentinel or a
private CA a URL alone leaves it healthy and blind, and a bare ``rediss://`` isn't verified.
"""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.openedx.endpoint import Endpoint, SecretKey

CONFIG_DIRECTORY = "/etc/flower"
CONFIG_FILE = "celeryconfig.py"
"""What Celery's default loader imports; Flower is started without an application."""
URL_VARIABLE = "CELERY_BROKER_URL"
USERNAME_VARIABLE = "BROKER_USERNAME"
PASSWORD_VARIABLE = "BROKER_PASSWORD"
SENTINEL_PASSWORD_VARIABLE = "BROKER_SENTINEL_PASSWORD"
CA_DIRECTORY = "/etc/flower-ca"
CLIENT_CERT_DIRECTORY = "/etc/flower-client-cert"

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-")


class BrokerAccess(Record):
    """What Flower's pod needs to reach a broker."""

    url: str
    """The broker's URL with its password, for a Secret; empty where ``config`` puts it together in the pod."""
    config: str
    """The text of ``celeryconfig.py``, without any secret in it; empty where the URL says all."""
    secrets: tuple[tuple[str, SecretKey], ...]
    """Environment variables that are keys of others' Secrets."""
    ca: SecretKey | None
    client_cert: str


def quote(text: str) -> str:
    """Percent-encode ``text`` for any part of a URL, as ``urllib.parse.quote(text, safe="")``: that costs 3 ms."""
    return "".join([chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode()])


def access(found: Endpoint) -> BrokerAccess:
    """Return how Flower reaches the broker ``found``."""
    keys = (
        (USERNAME_VARIABLE, found.username_key),
        (PASSWORD_VARIABLE, found.password_key),
        (SENTINEL_PASSWORD_VARIABLE, found.sentinel_password_key),
    )
    secrets = tuple((name, key) for name, key in keys if key is not None)
    assembled = found.username_key is not None or found.password_key is not None
    configured = bool(secrets or found.tls or found.key_prefix or found.sentinel_master)
    return BrokerAccess(
        url="" if assembled else _url(found, _credentials(found)),
        config=_config(found, assembled=assembled) if configured else "",
        secrets=secrets,
        ca=found.ca if found.tls else None,
        client_cert=found.client_cert if found.tls else "",
    )


def _credentials(found: Endpoint) -> str:
    """Return the part of the URL before the host."""
    if not found.username and not found.password:
        return ""
    password = f":{quote(found.password)}" if found.password else ""
    return f"{quote(found.username)}{password}@"


def _url(found: Endpoint, credentials: str) -> str:
    """Return the URL; kombu takes one for each Sentinel, with ``;`` between them."""
    scheme = "sentinel" if found.sentinel_master else "rediss" if found.tls else "redis"
    return ";".join(f"{scheme}://{credentials}{address}/{found.database}" for address in found.addresses)


def _config(found: Endpoint, *, assembled: bool) -> str:
    """Return the text of ``celeryconfig.py``; each value in it is a Python literal."""
    body: list[str] = []
    modules = []
    if assembled:
        modules += ["import os", "from urllib.parse import quote"]
        body += ["", *_assembled_url(found)]
    elif found.sentinel_password_key:
        modules.append("import os")
    if found.tls:
        modules.append("import ssl")
        body += ["", *_tls(found)]
    options = _transport_options(found)
    if options:
        body += ["", "broker_transport_options = {", *(f"    {key!r}: {value}," for key, value in options), "}"]
    modules.sort()
    return "\n".join(["# Made by tutor-kustomizer: what a broker's URL can't say.", *modules, *body, ""])


def _assembled_url(found: Endpoint) -> list[str]:
    """Return the lines that make the URL in the pod, out of what only a Secret knows."""
    username = _from_environment(USERNAME_VARIABLE) if found.username_key else repr(quote(found.username))
    password = _from_environment(PASSWORD_VARIABLE) if found.password_key else repr(quote(found.password))
    template = _url(found, "{credentials}")
    return [
        f'credentials = {username} + ":" + {password} + "@"',
        f'broker_url = {template!r}.replace("{{credentials}}", credentials)',
    ]


def _from_environment(name: str) -> str:
    return f'quote(os.environ["{name}"], safe="")'


def _tls(found: Endpoint) -> list[str]:
    options = [
        ("ssl_cert_reqs", "ssl.CERT_NONE" if found.unsafe else "ssl.CERT_REQUIRED"),
        # redis-py checks it by default from 6.0 on only.
        ("ssl_check_hostname", repr(not found.unsafe)),
    ]
    if found.ca:
        options.append(("ssl_ca_certs", repr(f"{CA_DIRECTORY}/ca.crt")))
    if found.client_cert:
        options.append(("ssl_certfile", repr(f"{CLIENT_CERT_DIRECTORY}/tls.crt")))
        options.append(("ssl_keyfile", repr(f"{CLIENT_CERT_DIRECTORY}/tls.key")))
    return ["broker_use_ssl = {", *(f"    {key!r}: {value}," for key, value in options), "}"]


def _transport_options(found: Endpoint) -> list[tuple[str, str]]:
    options = []
    if found.key_prefix:
        options.append(("global_keyprefix", repr(found.key_prefix)))
    if found.sentinel_master:
        options.append(("master_name", repr(found.sentinel_master)))
        # Where events are published. Through Sentinels kombu before 5.4, which the image of Flower 2.0.1 has, listens
        # to "/{db}." as it stands there (https://github.com/celery/kombu, transport/redis.py): blind, without a word.
        options.append(("fanout_prefix", repr(f"/{found.database}.")))
        arguments = []
        if found.sentinel_username:
            arguments.append(f"'username': {found.sentinel_username!r}")
        if found.sentinel_password_key:
            arguments.append(f"'password': os.environ[{SENTINEL_PASSWORD_VARIABLE!r}]")
        if arguments:
            options.append(("sentinel_kwargs", "{" + ", ".join(arguments) + "}"))
    return options


def secret_variables(reach: BrokerAccess) -> list[dict[str, Any]]:
    """Return the ``env`` entries whose values others' Secrets have."""
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}
        for name, key in reach.secrets
    ]


def volumes(reach: BrokerAccess, *, config_map: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each volume with its mount."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    if reach.config:
        found.append(("celery-config", CONFIG_DIRECTORY, {"configMap": {"name": config_map}}))
    if reach.ca:
        source = {"secretName": reach.ca.secret, "items": [{"key": reach.ca.key, "path": "ca.crt"}]}
        found.append(("broker-ca", CA_DIRECTORY, {"secret": source}))
    if reach.client_cert:
        found.append(("broker-client-cert", CLIENT_CERT_DIRECTORY, {"secret": {"secretName": reach.client_cert}}))
    return [
        ({"name": name, **source}, {"name": name, "mountPath": path, "readOnly": True}) for name, path, source in found
    ]
