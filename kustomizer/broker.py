"""The broker that Celery uses, read from what Tutor emitted, for those who have to reach it: KEDA and Flower.

edx-platform (lms/envs/production.py) puts the values of ``lms.env.yml`` into a URL without quoting them, and kombu
unquotes its parts (kombu/utils/url.py): so the password in the file is percent-encoded where it has to be, and the one
that Redis knows is the decoded one.
"""

from __future__ import annotations

import re

from kustomizer import block_yaml
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.record import Record
from kustomizer.settings import settings_file
from kustomizer.settings_volume import tutors_config_map
from kustomizer.tree import lookup, plain_value
from kustomizer.tutor import is_generated_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kustomizer.config import CeleryWorkers
    from kustomizer.resources import Resource, Resources

CONFIG_MAP = "openedx-config"
DEFAULT_PORT = 6379
DEFAULT_SENTINEL_PORT = 26379
# kombu/transport/__init__.py: Celery has no transport for a Redis Cluster.
_TRANSPORTS = {"redis": (False, False), "rediss": (True, False), "sentinel": (False, True)}

# What tells where the broker is, in lms.env.yml. Values are read off these lines alone: the rest of the file, with its
# passwords, needn't be parsed.
_SETTING = re.compile(r"^(CELERY_BROKER_\w+|BROKER_USE_SSL):.*(?:\n(?:[ \t].*|-.*)?)*", re.MULTILINE)
# What a plugin may do about it in Tutor's settings, which no manifest tells the result of.
_UNKNOWABLE = re.compile(
    r"^[ \t]*(BROKER_(?:URL|READ_URL|WRITE_URL|TRANSPORT|TRANSPORT_OPTIONS|USE_SSL|HOST|PORT|USER|PASSWORD|VHOST))\b"
    r"[^\n]*=|^[ \t]*(BROKER_TRANSPORT_OPTIONS)\.(?:update|setdefault)|"
    r"(?:environ|getenv)[^\n]*?(\w*BROKER_\w+)",
    re.MULTILINE,
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
# These end the host, or the user, in a URL that edx-platform formats without quoting.
_NOT_IN_URLS = frozenset("/?#")


class SecretKey(Record):
    """A key of a Secret in the site's namespace."""

    secret: str
    key: str


class Endpoint(Record):
    """Where a service's broker is, and how to talk to it.

    ``addresses`` are ``host:port`` as another namespace reaches them; ``database`` is Redis' number. Either the
    credentials themselves are known (``username``, ``password``) or the Secret that holds them.
    """

    addresses: tuple[str, ...]
    database: int = 0
    username: str = ""
    password: str = ""
    username_key: SecretKey | None = None
    password_key: SecretKey | None = None
    key_prefix: str = ""
    tls: bool = False
    unsafe: bool = False
    ca: SecretKey | None = None
    client_cert: str = ""
    sentinel_master: str = ""
    sentinel_username: str = ""
    sentinel_password_key: SecretKey | None = None
    visibility_timeout: int | None = None


def endpoint(
    resources: Resources, config: CeleryWorkers, service: str, worker: Resource
) -> tuple[Endpoint, list[Problem]]:
    """Return the broker of ``service``, whose worker is ``worker``, and warnings about it.

    Raises UserError where neither Tutor's output nor the configuration says where it is.
    """
    said = config.spec.broker
    located = said is not None and (said.address is not None or said.sentinel is not None)
    text, owner = _environment_text(resources, service, worker)
    values = _values(text, owner, service) if text is not None else {}
    if not located:
        _refuse_unknowable(resources, config, service, worker)
        if owner is None or "CELERY_BROKER_HOSTNAME" not in values:
            raise UserError(
                Problem(
                    message=f"the build doesn't say which broker {service} uses: "
                    f"there is no CELERY_BROKER_HOSTNAME in {service}.env.yml of a ConfigMap {CONFIG_MAP}",
                    resource=worker.ref,
                    field="spec.broker",
                    remedy="Set spec.broker.address to the broker's host:port",
                )
            )
    emitted, notes = _emitted(values, owner, service, namespace=worker.namespace, located=located)
    return _overridden(emitted, config, worker.namespace), notes


def _environment_text(resources: Resources, service: str, worker: Resource) -> tuple[str | None, Resource | None]:
    """Return the text of ``lms.env.yml``, and the ConfigMap that it is in."""
    for resource in resources.of_kind("ConfigMap"):
        if resource.namespace == worker.namespace and is_generated_name(resource.name, CONFIG_MAP):
            text = lookup(resource.tree, "data", f"{service}.env.yml")
            return (None if text is None else str(text)), resource
    return None, None


def _values(text: str, owner: Resource | None, service: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for match in _SETTING.finditer(text):
        try:
            values.update(plain_value(_read(match.group())))
        except UserError as error:
            # The reader's own message could quote the line.
            raise UserError(
                Problem(
                    message=f"{match.group(1)} can't be read as YAML",
                    resource=owner.ref if owner else None,
                    field=f'data["{service}.env.yml"]',
                    remedy="Mend the plugin's patch that writes it",
                )
            ) from error
    return values


def _read(text: str) -> Any:
    try:
        return block_yaml.read(text.rstrip("\n").split("\n"))
    except block_yaml.NotCanonical:
        from kustomizer import full_yaml  # noqa: PLC0415 - `import yaml` costs half of the function's time

        return full_yaml.read(text) or {}


def _refuse_unknowable(resources: Resources, config: CeleryWorkers, service: str, worker: Resource) -> None:
    file = settings_file(service, config.spec.settings.modules)
    settings = tutors_config_map(resources, file, worker.namespace)
    text = lookup(settings.tree, "data", file.name) if settings is not None else None
    match = _UNKNOWABLE.search(str(text)) if text is not None else None
    if match is None or settings is None:
        return
    name = next(group for group in match.groups() if group)
    raise UserError(
        Problem(
            message=f"the settings set or read {name} themselves, and what comes out only a running pod knows",
            resource=settings.ref,
            field=f'data["{file.name}"]',
            remedy="Say where the broker is in spec.broker: address (or sentinel), and what else isn't the default",
        )
    )


def _emitted(
    values: Mapping[str, Any], owner: Resource | None, service: str, *, namespace: str, located: bool
) -> tuple[Endpoint, list[Problem]]:
    """Return the broker as edx-platform makes it out of ``values``."""

    def problem(name: str, message: str, remedy: str, severity: str = "error") -> Problem:
        return Problem(
            message=f"{name} {message}",
            severity=severity,
            resource=owner.ref if owner else None,
            field=f'data["{service}.env.yml"]',
            remedy=remedy,
        )

    notes: list[Problem] = []
    transport = str(values.get("CELERY_BROKER_TRANSPORT") or "redis")
    if transport not in _TRANSPORTS:
        raise UserError(
            problem(
                "CELERY_BROKER_TRANSPORT",
                f"is {transport}: only a Redis tells how many tasks wait and how many are in flight",
                f"Use one of {', '.join(_TRANSPORTS)}; Celery has no transport for a Redis Cluster",
            )
        )
    tls, sentinel = _TRANSPORTS[transport]
    options = values.get("CELERY_BROKER_TRANSPORT_OPTIONS")
    options = options if isinstance(options, dict) else {}
    ssl = values.get("BROKER_USE_SSL") or values.get("CELERY_BROKER_USE_SSL")
    password = str(values.get("CELERY_BROKER_PASSWORD") or "")
    if _NOT_IN_URLS & set(password):
        notes.append(
            problem(
                "CELERY_BROKER_PASSWORD",
                "has a '/', '?' or '#', which ends the host in the URL that Open edX makes: its workers can't connect",
                "Percent-encode it in Tutor's REDIS_PASSWORD; it is decoded here as Celery does",
                WARNING,
            )
        )
    if isinstance(ssl, dict) and ssl.get("ssl_ca_certs"):
        notes.append(
            problem(
                "BROKER_USE_SSL",
                "names a CA by a path in the worker's pod, which nobody else can read",
                "Set spec.broker.tls.ca to the Secret that holds it, unless a public CA signed the certificate",
                WARNING,
            )
        )
    vhost = str(values.get("CELERY_BROKER_VHOST") or "0").strip("/") or "0"
    if not vhost.isdigit():
        raise UserError(
            problem("CELERY_BROKER_VHOST", "isn't the number of a Redis database", "Set it in Tutor's configuration")
        )
    timeout = options.get("visibility_timeout")
    found = Endpoint(
        addresses=_addresses(str(values.get("CELERY_BROKER_HOSTNAME") or ""), sentinel=sentinel, namespace=namespace),
        database=int(vhost),
        username=unquote(str(values.get("CELERY_BROKER_USER") or "")),
        password=unquote(password),
        key_prefix=str(options.get("global_keyprefix") or ""),
        tls=tls or bool(ssl),
        sentinel_master=str(options.get("master_name") or ""),
        visibility_timeout=timeout if isinstance(timeout, int) else None,
    )
    if sentinel and not found.sentinel_master and not located:
        raise UserError(
            problem(
                "CELERY_BROKER_TRANSPORT",
                "is sentinel, and CELERY_BROKER_TRANSPORT_OPTIONS has no master_name",
                "Set spec.broker.sentinel: addresses and master",
            )
        )
    return found, notes


def _addresses(hostname: str, *, sentinel: bool, namespace: str) -> tuple[str, ...]:
    """Return each host and port of a CELERY_BROKER_HOSTNAME; kombu takes several URLs with ``;`` between them."""
    port = DEFAULT_SENTINEL_PORT if sentinel else DEFAULT_PORT
    found = []
    for part in hostname.split(";"):
        place = part.rpartition("://")[2].rpartition("@")[2].split("/")[0].strip()
        host, colon, given = place.rpartition(":")
        if not colon or not given.isdigit():
            host, given = place, str(port)
        if host:
            found.append(f"{reachable(host, namespace)}:{given}")
    return tuple(found) if sentinel else tuple(found[:1])


def reachable(host: str, namespace: str) -> str:
    """Return ``host`` as another namespace reaches it: the name of a Service needs its namespace."""
    if not namespace or "." in host or ":" in host or host == "localhost":
        return host
    return f"{host}.{namespace}"


def _reachable_address(address: str, namespace: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{reachable(host, namespace)}:{port}"


def unquote(text: str) -> str:
    """Decode percent-encoding as :func:`urllib.parse.unquote` does, which costs 3 ms to import."""
    if "%" not in text:
        return text
    return _PERCENT.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode()).decode("utf-8", "replace")


def _overridden(emitted: Endpoint, config: CeleryWorkers, namespace: str) -> Endpoint:
    """Return ``emitted`` with what ``spec.broker`` says."""
    said = config.spec.broker
    if said is None:
        return emitted
    changes: dict[str, Any] = {}
    if said.address is not None:
        changes |= {"addresses": (_reachable_address(said.address, namespace),), "sentinel_master": ""}
    if said.sentinel is not None:
        secret = said.sentinel.existing_secret
        changes |= {
            "addresses": tuple(_reachable_address(address, namespace) for address in said.sentinel.addresses),
            "sentinel_master": said.sentinel.master,
            "sentinel_username": said.sentinel.username or "",
            "sentinel_password_key": secret and SecretKey(secret=secret.name, key=secret.password_key),
        }
    if said.database is not None:
        changes["database"] = said.database
    if said.username is not None:
        changes["username"] = said.username
    if said.key_prefix is not None:
        changes["key_prefix"] = said.key_prefix
    if said.existing_secret is not None:
        given = said.existing_secret
        changes |= {"password": "", "password_key": SecretKey(secret=given.name, key=given.password_key)}
        if given.username_key is not None:
            changes |= {"username": "", "username_key": SecretKey(secret=given.name, key=given.username_key)}
    if said.tls is not None:
        changes |= {
            "tls": emitted.tls if said.tls.enabled is None else said.tls.enabled,
            "unsafe": said.tls.unsafe,
            "ca": said.tls.ca and SecretKey(secret=said.tls.ca.name, key=said.tls.ca.key),
            "client_cert": said.tls.client_cert.name if said.tls.client_cert else "",
        }
    return emitted.replace(**changes)
