"""A pod's access to the broker: a URL in a Secret, and a ``celeryconfig.py`` for options that no URL can hold.

Flower gives ``broker_use_ssl`` and ``broker_transport_options`` to its own Redis client as well as to Celery
(flower/views/broker.py); the URL's query reaches only one of the two. With a key prefix, Sentinel or a private CA, the
URL alone leaves a Flower that runs and sees no task, and with a bare ``rediss://`` nothing verifies the certificate.
"""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from kustomizer.openedx.endpoint import Endpoint, SecretKey

    VolumeAndMount: TypeAlias = tuple[dict[str, Any], dict[str, Any]]

CONFIG_FILE = "celeryconfig.py"
"""The module that Celery's default loader imports; Flower is started without an application."""
URL_VARIABLE = "CELERY_BROKER_URL"
USERNAME_VARIABLE = "BROKER_USERNAME"
PASSWORD_VARIABLE = "BROKER_PASSWORD"
SENTINEL_PASSWORD_VARIABLE = "BROKER_SENTINEL_PASSWORD"

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-")


class BrokerAccess(Record):
    """The settings with which a pod reaches a broker."""

    directory: str
    """Where the pod has ``celeryconfig.py``; its certificates are in directories beside that."""
    url: str
    """The broker's URL with its password, for a Secret; empty where ``config`` makes it in the pod."""
    config: str
    """The text of ``celeryconfig.py``, without any secret in it; empty where the URL is enough."""
    secrets: tuple[tuple[str, SecretKey], ...]
    """Environment variables whose values are in existing Secrets."""
    ca: SecretKey | None
    client_cert: str


def quote(text: str) -> str:
    """Percent-encode ``text`` as ``urllib.parse.quote(text, safe="")`` does; importing that costs 3 ms."""
    return "".join([chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode()])


def access(broker: Endpoint, directory: str) -> BrokerAccess:
    """Return how a pod that has its configuration in ``directory`` reaches ``broker``."""
    keys = (
        (USERNAME_VARIABLE, broker.username_key),
        (PASSWORD_VARIABLE, broker.password_key),
        (SENTINEL_PASSWORD_VARIABLE, broker.sentinel_password_key),
    )
    secrets = tuple((name, key) for name, key in keys if key is not None)
    assembled = broker.username_key is not None or broker.password_key is not None
    configured = bool(secrets or broker.tls or broker.key_prefix or broker.sentinel_master)
    return BrokerAccess(
        directory=directory,
        url="" if assembled else _url(broker, _credentials(broker)),
        config=_config(broker, directory, assembled=assembled) if configured else "",
        secrets=secrets,
        ca=broker.ca if broker.tls else None,
        client_cert=broker.client_cert if broker.tls else "",
    )


def _credentials(broker: Endpoint) -> str:
    """Return the part of the URL before the host."""
    if not broker.username and not broker.password:
        return ""
    password = f":{quote(broker.password)}" if broker.password else ""
    return f"{quote(broker.username)}{password}@"


def _url(broker: Endpoint, credentials: str) -> str:
    """Return the URL; with Sentinels one for each, joined by ``;`` as kombu has it."""
    scheme = "sentinel" if broker.sentinel_master else "rediss" if broker.tls else "redis"
    return ";".join(f"{scheme}://{credentials}{address}/{broker.database}" for address in broker.addresses)


def _config(broker: Endpoint, directory: str, *, assembled: bool) -> str:
    """Return the text of ``celeryconfig.py``; each value in it is a Python literal."""
    body: list[str] = []
    modules = []
    if assembled:
        modules += ["import os", "from urllib.parse import quote"]
        body += ["", *_assembled_url(broker)]
    elif broker.sentinel_password_key:
        modules.append("import os")
    if broker.tls:
        modules.append("import ssl")
        body += ["", *_tls(broker, directory)]
    options = _transport_options(broker)
    if options:
        body += ["", "broker_transport_options = {", *(f"    {key!r}: {value}," for key, value in options), "}"]
    modules.sort()
    return "\n".join(["# Made by tutor-kustomizer: what a broker's URL can't say.", *modules, *body, ""])


def _assembled_url(broker: Endpoint) -> list[str]:
    """Return the lines that make the URL in the pod, from credentials that only a Secret holds."""
    username = _from_environment(USERNAME_VARIABLE) if broker.username_key else repr(quote(broker.username))
    password = _from_environment(PASSWORD_VARIABLE) if broker.password_key else repr(quote(broker.password))
    template = _url(broker, "{credentials}")
    return [
        f'credentials = {username} + ":" + {password} + "@"',
        f'broker_url = {template!r}.replace("{{credentials}}", credentials)',
    ]


def _from_environment(name: str) -> str:
    return f'quote(os.environ["{name}"], safe="")'


def _tls(broker: Endpoint, directory: str) -> list[str]:
    options = [
        ("ssl_cert_reqs", "ssl.CERT_NONE" if broker.unsafe else "ssl.CERT_REQUIRED"),
        # redis-py checks it by default from 6.0 on only.
        ("ssl_check_hostname", repr(not broker.unsafe)),
    ]
    if broker.ca:
        options.append(("ssl_ca_certs", repr(f"{_ca(directory)}/ca.crt")))
    if broker.client_cert:
        options.append(("ssl_certfile", repr(f"{_client_cert(directory)}/tls.crt")))
        options.append(("ssl_keyfile", repr(f"{_client_cert(directory)}/tls.key")))
    return ["broker_use_ssl = {", *(f"    {key!r}: {value}," for key, value in options), "}"]


def _ca(directory: str) -> str:
    return f"{directory}-ca"


def _client_cert(directory: str) -> str:
    return f"{directory}-client-cert"


def _transport_options(broker: Endpoint) -> list[tuple[str, str]]:
    options = []
    if broker.key_prefix:
        options.append(("global_keyprefix", repr(broker.key_prefix)))
    if broker.sentinel_master:
        options.append(("master_name", repr(broker.sentinel_master)))
        # Where events are published. Through Sentinels kombu before 5.4, which the image of Flower 2.0.1 has, listens
        # to "/{db}." as it stands there (https://github.com/celery/kombu, transport/redis.py): blind, without a word.
        options.append(("fanout_prefix", repr(f"/{broker.database}.")))
        arguments = []
        if broker.sentinel_username:
            arguments.append(f"'username': {broker.sentinel_username!r}")
        if broker.sentinel_password_key:
            arguments.append(f"'password': os.environ[{SENTINEL_PASSWORD_VARIABLE!r}]")
        if arguments:
            options.append(("sentinel_kwargs", "{" + ", ".join(arguments) + "}"))
    return options


def secret_variables(reach: BrokerAccess) -> list[dict[str, Any]]:
    """Return the ``env`` entries whose values are in existing Secrets."""
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}
        for name, key in reach.secrets
    ]


def config_volume(reach: BrokerAccess, config_map: str) -> VolumeAndMount:
    """Return the volume of the ConfigMap with ``celeryconfig.py``, and its mount."""
    return _volume("celery-config", reach.directory, {"configMap": {"name": config_map}})


def certificate_volumes(reach: BrokerAccess) -> list[VolumeAndMount]:
    """Return each volume of a certificate with its mount."""
    found = []
    if reach.ca:
        source = {"secretName": reach.ca.secret, "items": [{"key": reach.ca.key, "path": "ca.crt"}]}
        found.append(_volume("broker-ca", _ca(reach.directory), {"secret": source}))
    if reach.client_cert:
        source = {"secretName": reach.client_cert}
        found.append(_volume("broker-client-cert", _client_cert(reach.directory), {"secret": source}))
    return found


def _volume(name: str, path: str, source: dict[str, Any]) -> VolumeAndMount:
    return {"name": name, **source}, {"name": name, "mountPath": path, "readOnly": True}
