"""The broker that Celery uses, read from what Tutor emitted, for those who have to reach it: KEDA and Flower.

edx-platform (lms/envs/production.py) puts the values of ``lms.env.yml`` into a URL without quoting them, and kombu
unquotes its parts (kombu/utils/url.py): so the password in the file is percent-encoded where it has to be, and the one
that Redis knows is the decoded one.
"""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.broker_warnings import broker_notes
from kustomizer.openedx.endpoint import UNACKED, Endpoint, SecretKey
from kustomizer.openedx.env_file import CONFIG_MAP, environment_file, overruled, transport_options, use_ssl
from kustomizer.openedx.settings_module import settings_file
from kustomizer.openedx.settings_volume import tutors_config_map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.broker import Broker
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.env_file import EnvironmentFile

DEFAULT_PORT = 6379
DEFAULT_SENTINEL_PORT = 26379
# kombu/transport/__init__.py: Celery has no transport for a Redis Cluster.
_TRANSPORTS = {"redis": (False, False), "rediss": (True, False), "sentinel": (False, True)}


def endpoint(
    resources: Resources, config: CeleryWorkers, service: str, worker: Resource
) -> tuple[Endpoint, list[Problem]]:
    """Return the broker of ``service``, whose worker is ``worker``, and warnings about it.

    Raises UserError where neither Tutor's output nor the configuration says where it is.
    """
    said = config.spec.broker
    located = said is not None and (said.address is not None or said.sentinel is not None)
    file = environment_file(resources, service, worker.namespace)
    if not located:
        _refuse_overruled(resources, config, service, worker)
        if file is None or not file.values.get("CELERY_BROKER_HOSTNAME"):
            raise UserError(
                Problem(
                    message=f"the build doesn't say which broker {service} uses: "
                    f"there is no CELERY_BROKER_HOSTNAME in {service}.env.yml of a ConfigMap {CONFIG_MAP}",
                    resource=config.ref,
                    field="spec.broker",
                    remedy="Set spec.broker.address to the broker's host:port",
                )
            )
    if file is None:
        return _overridden(Endpoint(addresses=()), said, worker.namespace), []
    found = _overridden(_emitted(file, said, worker.namespace, located=located), said, worker.namespace)
    return found, broker_notes(config, file, found)


def _refuse_overruled(resources: Resources, config: CeleryWorkers, service: str, worker: Resource) -> None:
    file = settings_file(service, config.spec.settings.modules)
    settings = tutors_config_map(resources, file, worker.namespace)
    if settings is None:
        return
    name = overruled(str(lookup(settings.tree, "data", file.name) or ""))
    if name:
        raise UserError(
            Problem(
                message=f"the settings set or read {name} themselves, and what comes out only a running pod knows",
                resource=settings.ref,
                field=f'data["{file.name}"]',
                remedy="Say where the broker is in spec.broker: address (or sentinel), and what else isn't the default",
            )
        )


def _emitted(file: EnvironmentFile, said: Broker | None, namespace: str, *, located: bool) -> Endpoint:
    """Return the broker as edx-platform makes it out of ``file``."""
    values = file.values
    transport = str(values.get("CELERY_BROKER_TRANSPORT") or "redis")
    if transport not in _TRANSPORTS and not located:
        raise UserError(
            file.problem(
                "CELERY_BROKER_TRANSPORT",
                f"is {transport}: only a Redis tells how many tasks wait and how many are in flight",
                f"Use one of {', '.join(_TRANSPORTS)}; Celery has no transport for a Redis Cluster",
            )
        )
    tls, sentinel = _TRANSPORTS.get(transport, (False, False))
    options = transport_options(file)
    # edx-platform makes one URL out of all this, and of several with `;` between them kombu heeds the first one's path.
    first = f"{values.get('CELERY_BROKER_HOSTNAME') or ''}/{_plain(values.get('CELERY_BROKER_VHOST'))}".split(";")[0]
    database = first.rpartition("://")[2].partition("/")[2].strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        if said is None or said.database is None:
            remedy = "Set it in Tutor's configuration, or spec.broker.database"
            raise UserError(file.problem("CELERY_BROKER_VHOST", "isn't the number of a Redis database", remedy))
        database = "0"
    own_sentinel = options.get("sentinel_kwargs")
    own_sentinel = own_sentinel if sentinel and isinstance(own_sentinel, dict) else {}
    timeout = options.get("visibility_timeout")
    found = Endpoint(
        addresses=_addresses(str(values.get("CELERY_BROKER_HOSTNAME") or ""), sentinel=sentinel, namespace=namespace),
        database=int(database),
        username=unquote(_plain(values.get("CELERY_BROKER_USER"))),
        password=unquote(_plain(values.get("CELERY_BROKER_PASSWORD"))),
        key_prefix=_text(file, options, "global_keyprefix"),
        unacked_key=_text(file, options, "unacked_key") or UNACKED,
        tls=tls or bool(use_ssl(file)),
        sentinel_master=_text(file, options, "master_name") if sentinel else "",
        sentinel_username=_plain(own_sentinel.get("username")),
        sentinel_password=_plain(own_sentinel.get("password")),
        visibility_timeout=timeout if type(timeout) is int else None,
    )
    if sentinel and not found.sentinel_master and not located:
        raise UserError(
            file.problem(
                "CELERY_BROKER_TRANSPORT",
                "is sentinel, and CELERY_BROKER_TRANSPORT_OPTIONS has no master_name",
                "Set spec.broker.sentinel: addresses and master",
            )
        )
    return found


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _text(file: EnvironmentFile, options: dict[str, Any], name: str) -> str:
    value = options.get(name)
    if value is not None and not isinstance(value, str):
        raise UserError(file.problem(f"CELERY_BROKER_TRANSPORT_OPTIONS.{name}", "isn't a string", "Put it in quotes"))
    return value or ""


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
    """Decode percent-encoding, which hardly any site's broker has."""
    if "%" not in text:
        return text
    from urllib.parse import unquote as decode  # noqa: PLC0415 - costs 3 ms

    return decode(text)


def _overridden(emitted: Endpoint, said: Broker | None, namespace: str) -> Endpoint:
    """Return ``emitted`` with what ``spec.broker`` says."""
    if said is None:
        return emitted
    changes: dict[str, Any] = {}
    if said.address is not None:
        address = _reachable_address(said.address, namespace)
        changes |= {"addresses": (address,), "sentinel_master": "", "sentinel_username": "", "sentinel_password": ""}
    if said.sentinel is not None:
        secret = said.sentinel.existing_secret
        changes |= {
            "addresses": tuple(_reachable_address(address, namespace) for address in said.sentinel.addresses),
            "sentinel_master": said.sentinel.master,
            "sentinel_username": said.sentinel.username or emitted.sentinel_username,
            "sentinel_password": "" if secret else emitted.sentinel_password,
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
