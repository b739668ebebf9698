"""Reads the broker that Celery uses from what Tutor emitted: KEDA, Flower and restoreOrphans have to reach it, too.

edx-platform (lms/envs/production.py) puts the values of ``lms.env.yml`` into a URL without quoting them, and kombu
unquotes the URL's parts (kombu/utils/url.py). So the file holds the password percent-encoded, and Redis knows the
decoded one.
"""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.manifests.digits import whole_number, whole_seconds
from kustomizer.manifests.tree import is_null, lookup
from kustomizer.openedx.endpoint import (
    REDIS_PORT,
    SENTINEL_PORT,
    UNACKED,
    Endpoint,
    SecretKey,
    is_of_the_pod,
    is_placeholder,
    reachable,
)
from kustomizer.openedx.env_file import environment_file, transport_options, use_ssl
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import CONFIG_MAP, emitted_in, pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.broker import Broker
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.celery.view import CeleryView
    from kustomizer.openedx.env_file import EnvironmentFile

# Kyverno's, Gatekeeper's, Kubernetes' own, and those of PodPresets and Kubeflow.
_CHANGE_PODS = (
    *("Assign", "ClusterPolicy", "MutatingAdmissionPolicy", "MutatingPolicy", "ModifySet", "PodDefault", "PodPreset"),
    "Policy",
)
# kombu/transport/__init__.py: Celery has no transport for a Redis Cluster.
_TRANSPORTS = {"redis": (False, False), "rediss": (True, False), "sentinel": (False, True)}


class Brokers:
    """The brokers of the services of a build, each read once: KEDA, Flower and restoreOrphans ask for the same ones."""

    def __init__(self, resources: Resources, config: CeleryWorkers) -> None:
        self._resources = resources
        self._config = config
        self._known: dict[tuple[str, str], tuple[Endpoint, list[Problem]]] = {}

    def of(self, service: str, worker: Resource) -> tuple[Endpoint, list[Problem]]:
        """Return the broker of ``service`` as :func:`endpoint` does."""
        key = (service, worker.namespace)
        if key not in self._known:
            self._known[key] = endpoint(self._resources, self._config, service, worker)
        broker, warnings = self._known[key]
        return broker, list(warnings)


def endpoint(
    resources: Resources, config: CeleryWorkers, service: str, worker: Resource
) -> tuple[Endpoint, list[Problem]]:
    """Return the broker of ``service``, whose worker is ``worker``, and warnings about it.

    Raises UserError where neither Tutor's output nor the configuration says where others reach the broker.
    """
    broker, warnings = _endpoint(resources, config, service, worker)
    configured = config.spec.broker
    located = configured is not None and configured.is_located
    if not located:
        warnings = [*warnings, *_put_in(resources, worker.namespace)]
    inside = next((address for address in broker.addresses if is_of_the_pod(address)), "")
    pod = lookup(pod_template(worker), "spec")
    has_names = not located and any(
        not is_null(lookup(pod, field)) for field in ("hostAliases", "dnsConfig", "dnsPolicy")
    )
    texts = (broker.username, broker.password, *broker.addresses)
    if has_names or any(is_placeholder(text) or "$(" in text for text in texts):
        from kustomizer.openedx.broker_warnings import unsure  # noqa: PLC0415 - few sites have one of these

        warnings = [*warnings, *unsure(resources, config, service, worker if has_names else None, broker)]
    # What the configuration itself states is meant so.
    if not inside or located:
        return broker, warnings
    message = f"{worker.name}'s broker is {inside}, in its own pod (a proxy, say): nothing outside of it can reach that"
    remedy = "Set it to the host:port of the Redis behind it, and spec.broker.tls where that speaks TLS"
    raise UserError(config.problem(message, remedy, field="spec.broker.address"))


def _put_in(resources: Resources, namespace: str) -> list[Problem]:
    """Return warnings about policies that put a broker's variable into pods when they are made."""
    found = [item for item in resources.of_kind(*_CHANGE_PODS) if item.namespace in ("", namespace)]
    message = "may put CELERY_BROKER_URL into the workers' pods, and KEDA, Flower and restoreOrphans look elsewhere"
    return [
        item.problem(message, "Set spec.broker.address if it does", field="spec", severity=WARNING)
        for item in found
        if item.mentions("CELERY_BROKER_URL") and "CELERY_BROKER_URL" in str(item.tree)
    ]


def _endpoint(
    resources: Resources, config: CeleryWorkers, service: str, worker: Resource
) -> tuple[Endpoint, list[Problem]]:
    configured = config.spec.broker
    located = configured is not None and configured.is_located
    celery = _celery_of(resources, service, worker)
    if celery is not None:
        from kustomizer.openedx.celery_broker import (  # noqa: PLC0415 - few sites do
            celery_broker,
            connection_warnings,
            says_it_elsewhere,
        )

        if says_it_elsewhere(celery):
            endpoint, warnings = celery_broker(celery, configured, worker.namespace, located=located)
            broker = _overridden(endpoint, configured, worker.namespace)
            warnings += _contradictions(config, service, endpoint, broker) if endpoint.addresses else ()
            if broker.tls and endpoint.addresses and not endpoint.tls:
                return broker, warnings
            return broker, [*warnings, *connection_warnings(config, celery, broker)]
    file = environment_file(resources, service, worker.namespace, celery)
    if not located and (file is None or not file.values.get("CELERY_BROKER_HOSTNAME")):
        message = f"the build doesn't say which broker {service} uses: "
        message += f"there is no CELERY_BROKER_HOSTNAME in {service}.env.yml of a ConfigMap {CONFIG_MAP}"
        remedy = "Set spec.broker.address to the broker's host:port"
        raise UserError(config.problem(message, remedy, field="spec.broker"))
    if file is None:
        return _overridden(Endpoint(addresses=()), configured, worker.namespace), []
    emitted = _emitted(file, configured, worker.namespace, located=located)
    broker = _overridden(emitted, configured, worker.namespace)
    stand_by = [] if located or broker.sentinel_master else _stand_by(file)
    stand_by += _contradictions(config, service, emitted, broker)
    if not (broker.password or broker.tls or broker.ca or broker.client_cert or broker.unsafe):
        return broker, stand_by
    from kustomizer.openedx.broker_warnings import broker_warnings  # noqa: PLC0415 - all are about these

    return broker, [*stand_by, *broker_warnings(config, file, broker, speaks_tls=emitted.tls)]


def _contradictions(config: CeleryWorkers, service: str, emitted: Endpoint, broker: Endpoint) -> list[Problem]:
    """Return warnings that the configuration has others look where the workers put nothing."""
    pairs = (
        ("database", "database", emitted.database, broker.database),
        ("keyPrefix", "the key prefix", emitted.key_prefix or "''", broker.key_prefix or "''"),
    )
    problems = []
    configured = config.spec.broker
    if broker.tls and not emitted.tls and configured is not None and not configured.is_located:
        message = f"KEDA, Flower and restoreOrphans talk TLS to the broker, and the workers of {service} plain text"
        remedy = "Leave it out, or have the workers talk TLS, too (CELERY_BROKER_USE_SSL)"
        field = "spec.broker.tls.enabled"
        problems.append(config.problem(message, remedy, field=field, severity=WARNING))
    return problems + [
        config.problem(
            f"KEDA, Flower and restoreOrphans look with {what} {stated}, and {service} has {own}: no task is found",
            "Leave it out, or set it to what the workers have",
            field=f"spec.broker.{field}",
            severity=WARNING,
        )
        for field, what, own, stated in pairs
        if own != stated
    ]


def _stand_by(file: EnvironmentFile) -> list[Problem]:
    """Return the warning that Celery may be connected to another server than the first."""
    if ";" not in str(file.values.get("CELERY_BROKER_HOSTNAME")).strip("; "):
        return []
    message = "names several servers, of which Celery takes the first that answers: KEDA, Flower and restoreOrphans "
    message += "look at the first alone"
    remedy = "Name one, or set spec.broker.address to a name that is always that of the one in use"
    return [file.problem("CELERY_BROKER_HOSTNAME", message, remedy, severity=WARNING)]


def _celery_of(resources: Resources, service: str, worker: Resource) -> CeleryView | None:
    """Return the service's Celery as its settings make it, None where the site sets nothing of its own."""
    of_service = worker
    if worker.name != f"{service}-worker":
        # Flower asks about cms with the worker of lms.
        of_service = next(iter(resources.find("Deployment", f"{service}-worker", worker.namespace)), worker)
        if of_service is worker:
            return None
    emitted = emitted_in(service, of_service)
    return None if emitted is None else own_settings(resources, emitted)


def _emitted(file: EnvironmentFile, configured: Broker | None, namespace: str, *, located: bool) -> Endpoint:
    """Return the broker as edx-platform makes it from ``file``."""
    values = file.values
    # kombu reads it in small letters.
    transport = str(values.get("CELERY_BROKER_TRANSPORT") or "redis").lower()
    if transport not in _TRANSPORTS and not (located and is_placeholder(transport)):
        message = f"is {transport}: only Redis tells how many tasks wait and how many are in flight"
        remedy = f"Use one of {', '.join(_TRANSPORTS)} (Celery has no transport for a Redis Cluster), or leave keda, "
        remedy += "flower and restoreOrphans out"
        raise UserError(file.problem("CELERY_BROKER_TRANSPORT", message, remedy))
    if "," in str(values.get("CELERY_BROKER_HOSTNAME")) and not located:
        message = "names several servers with a comma between them, and Celery takes all of it for one"
        remedy = "Name one (REDIS_HOST in Tutor's configuration)"
        raise UserError(file.problem("CELERY_BROKER_HOSTNAME", message, remedy))
    tls, sentinel = _TRANSPORTS.get(transport, (False, False))
    options = transport_options(file)
    # edx-platform makes one URL of all this; of several, with `;` between them, kombu takes the first one's path.
    first = f"{values.get('CELERY_BROKER_HOSTNAME') or ''}/{_plain(values.get('CELERY_BROKER_VHOST'))}".split(";")[0]
    # What stands behind a question mark are options of the connection, as rediss wants some.
    database = first.rpartition("://")[2].partition("/")[2].partition("?")[0].strip("/") or "0"
    number = whole_number(database)
    if number is None:
        if configured is None or configured.database is None:
            remedy = "Set it in Tutor's configuration, or spec.broker.database"
            raise UserError(file.problem("CELERY_BROKER_VHOST", "isn't the number of a Redis database", remedy))
        number = configured.database
    own_sentinel = options.get("sentinel_kwargs")
    own_sentinel = own_sentinel if sentinel and isinstance(own_sentinel, dict) else {}
    broker = Endpoint(
        addresses=_addresses(str(values.get("CELERY_BROKER_HOSTNAME") or ""), sentinel=sentinel, namespace=namespace),
        database=number,
        username=unquote(_plain(values.get("CELERY_BROKER_USER"))),
        password=unquote(_plain(values.get("CELERY_BROKER_PASSWORD"))),
        key_prefix=_text(file, options, "global_keyprefix"),
        unacked_key=_text(file, options, "unacked_key") or UNACKED,
        tls=tls or bool(use_ssl(file)),
        sentinel_master=_text(file, options, "master_name") if sentinel else "",
        sentinel_username=_plain(own_sentinel.get("username")),
        sentinel_password=_plain(own_sentinel.get("password")),
        visibility_timeout=whole_seconds(options.get("visibility_timeout")),
    )
    if sentinel and not broker.sentinel_master and not located:
        message = "is sentinel, and CELERY_BROKER_TRANSPORT_OPTIONS has no master_name"
        remedy = "Set spec.broker.sentinel: addresses and master"
        raise UserError(file.problem("CELERY_BROKER_TRANSPORT", message, remedy))
    return broker


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _text(file: EnvironmentFile, options: dict[str, Any], name: str) -> str:
    value = options.get(name)
    if value is not None and not isinstance(value, str):
        raise UserError(file.problem(f"CELERY_BROKER_TRANSPORT_OPTIONS.{name}", "isn't a string", "Put it in quotes"))
    return value or ""


def _addresses(hostname: str, *, sentinel: bool, namespace: str) -> tuple[str, ...]:
    """Return each host and port of a CELERY_BROKER_HOSTNAME; kombu takes several URLs with ``;`` between them."""
    port = SENTINEL_PORT if sentinel else REDIS_PORT
    addresses = []
    for part in hostname.split(";"):
        address = part.rpartition("://")[2].rpartition("@")[2].split("/")[0].strip()
        host, colon, stated_port = address.rpartition(":")
        if not colon or not stated_port.isdigit():
            host, stated_port = address, str(port)
        if host:
            addresses.append(f"{reachable(host, namespace)}:{stated_port}")
    return tuple(addresses) if sentinel else tuple(addresses[:1])


def _reachable_address(address: str, namespace: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{reachable(host, namespace)}:{port}"


def unquote(text: str) -> str:
    """Return ``text`` without percent-encoding; few brokers' values have any."""
    if "%" not in text:
        return text
    from urllib.parse import unquote as decode  # noqa: PLC0415 - costs 3 ms

    return decode(text)


def _overridden(emitted: Endpoint, configured: Broker | None, namespace: str) -> Endpoint:
    """Return ``emitted`` with the changes that ``spec.broker`` makes."""
    if configured is None:
        return emitted
    changes: dict[str, Any] = {}
    if configured.address is not None:
        address = _reachable_address(configured.address, namespace)
        changes |= {"addresses": (address,), "sentinel_master": "", "sentinel_username": "", "sentinel_password": ""}
    if configured.sentinel is not None:
        secret = configured.sentinel.existing_secret
        changes |= {
            "addresses": tuple(_reachable_address(address, namespace) for address in configured.sentinel.addresses),
            "sentinel_master": configured.sentinel.master,
            "sentinel_username": configured.sentinel.username or emitted.sentinel_username,
            "sentinel_password": "" if secret else emitted.sentinel_password,
            "sentinel_password_key": secret and SecretKey(secret=secret.name, key=secret.password_key),
        }
    for name in ("database", "username", "key_prefix"):
        if getattr(configured, name) is not None:
            changes[name] = getattr(configured, name)
    if configured.username is not None:
        changes["username_key"] = None
    if configured.existing_secret is not None:
        existing = configured.existing_secret
        changes |= {"password": "", "password_key": SecretKey(secret=existing.name, key=existing.password_key)}
        if existing.username_key is not None:
            changes |= {"username": "", "username_key": SecretKey(secret=existing.name, key=existing.username_key)}
    if configured.tls is not None:
        changes |= {
            "tls": emitted.tls if configured.tls.enabled is None else configured.tls.enabled,
            "unsafe": configured.tls.unsafe,
            "ca": configured.tls.ca and SecretKey(secret=configured.tls.ca.name, key=configured.tls.ca.key),
            "client_cert": configured.tls.client_cert.name if configured.tls.client_cert else "",
        }
    return emitted.replace(**changes)
