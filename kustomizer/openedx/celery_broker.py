"""The broker that a worker's Celery connects to where something else than ``lms.env.yml`` says so.

That is an option, a variable or the settings' own statements. It is imported only where a site has one of those.
"""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.manifests.digits import whole_seconds
from kustomizer.openedx.celery.python_values import Opaque, Partial, own_doubt
from kustomizer.openedx.celery.values import Known, Unknown, Unseen
from kustomizer.openedx.endpoint import UNACKED, Endpoint, SecretKey, server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.config.broker import Broker
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.celery.broker_url import BrokerUrl
    from kustomizer.openedx.celery.values import Source, Value
    from kustomizer.openedx.celery.view import CeleryView


def says_it_elsewhere(celery: CeleryView) -> bool:
    """Tell whether the broker comes from anywhere but ``lms.env.yml``."""
    file = celery.settings.env_file
    if isinstance(file, Unknown):
        # Not the one that Tutor's ConfigMap holds.
        return True
    place = file.owner.ref, file.source.field
    sources = (celery.broker_url.source, celery.transport_options.source, celery.use_ssl.source)
    return not all(source.default or (source.resource, source.field) == place for source in sources)


def is_environments(source: Source) -> bool:
    """Tell whether the source is the container's environment, which its command may set as well."""
    return ".env" in source.field or source.field.endswith((".annotations", ".args", ".command"))


def celery_broker(
    celery: CeleryView, configured: Broker | None, namespace: str, *, located: bool
) -> tuple[Endpoint, list[Problem]]:
    """Return the broker that Celery connects to, and warnings.

    ``located`` says that the configuration names the place. Raises UserError for what isn't known and is needed.
    """
    reader = _EndpointReader(celery.settings.container, located=located)
    broker = reader.value(celery.broker, "where the broker is", "spec.broker.address (or sentinel)", needed=not located)
    if broker is None:
        broker = celery.partial_broker
    address = Endpoint(addresses=())
    if broker is not None:
        address = _address(broker, celery.broker.source, configured, namespace, located=located)
        if len(broker.hosts) > 1 and broker.transport != "sentinel" and not located:
            message = (
                f"names {len(broker.hosts)} brokers, of which Celery takes the first that answers: KEDA, Flower and "
            )
            message += f"restoreOrphans look at {address.addresses[0]} alone"
            remedy = "Name one, or set spec.broker.address to a name that is always that of the one in use"
            reader.warnings.append(celery.broker.source.problem(message, remedy, severity=WARNING))
        reader.warnings += _credentials_warnings(broker, (celery.broker.likely or celery.broker).source, configured)
    stated_tls = configured.tls.enabled if configured is not None and configured.tls is not None else None
    tls = stated_tls is not None
    if broker is None and (not tls or configured is None or configured.database is None):
        reader.warnings.append(_unstated(celery.broker))
    prefix = configured is not None and configured.key_prefix is not None
    # What isn't known contradicts nothing.
    is_prefix_open = celery.transport_option("global_keyprefix").likely is None
    own_prefix = (configured.key_prefix or "") if configured is not None and is_prefix_open else ""
    own_tls = celery.use_ssl.likely is None and stated_tls
    # A rediss:// speaks it, whatever the options are.
    is_open = not tls and not address.tls
    ssl = reader.value(celery.use_ssl, "whether the broker speaks TLS", "spec.broker.tls.enabled", needed=is_open)
    sentinel = broker is not None and broker.transport == "sentinel"

    def option(name: str, field: str = "spec.broker", *, needed: bool = True) -> str:
        value = reader.value(celery.transport_option(name), f"the transport's {name}", field, needed=needed)
        if value is not None and not isinstance(value, str):
            raise UserError(celery.transport_options.source.problem(f"{name} isn't a string", "Put it in quotes"))
        return value or ""

    master = option("master_name", "spec.broker.sentinel", needed=not located) if sentinel else ""
    if sentinel and not master and not located:
        message = "the URL is that of Sentinels, and the transport's options have no master_name"
        raise UserError(celery.broker.source.problem(message, "Set spec.broker.sentinel: addresses and master"))
    if sentinel and (configured is None or configured.sentinel is None):
        of_sentinels, warnings = _of_sentinels(celery)
        address = address.replace(**of_sentinels)
        reader.warnings += warnings
    timeout = celery.visibility_timeout
    return (
        address.replace(
            key_prefix=option("global_keyprefix", "spec.broker.keyPrefix", needed=not prefix) or own_prefix,
            unacked_key=option("unacked_key", needed=not located) or UNACKED,
            tls=address.tls or bool(ssl) or bool(own_tls),
            sentinel_master=master,
            visibility_timeout=whole_seconds(timeout.value) if isinstance(timeout, Known) else None,
        ),
        reader.warnings,
    )


def _of_sentinels(celery: CeleryView) -> tuple[dict[str, Any], list[Problem]]:
    """Return the fields of an endpoint with the Sentinels' own credentials, and warnings where they aren't known."""
    option = celery.transport_option("sentinel_kwargs")
    own = option.likely.value if option.likely is not None else celery.unknown_option("sentinel_kwargs")
    found: dict[str, Any] = {}
    warnings = []
    for name in ("username", "password"):
        value = own.get(name) if isinstance(own, dict) and own_doubt(own) is None else own
        key = value.parts[0] if isinstance(value, Partial) and len(value.parts) == 1 else None
        if isinstance(value, str):
            found[f"sentinel_{name}"] = value
        elif name == "password" and isinstance(key, Unseen):
            found["sentinel_password_key"] = _key(key)
        elif isinstance(value, Opaque):
            message = f"the Sentinels' {name} isn't known ({value.reason}), and KEDA, Flower and restoreOrphans give "
            message += "none"
            remedy = "Set spec.broker.sentinel: addresses, master, username and existingSecret"
            warnings.append(option.source.problem(message, remedy, severity=WARNING))
    return found, warnings


def connection_warnings(config: CeleryWorkers, celery: CeleryView, broker: Endpoint) -> list[Problem]:
    """Return warnings about how others than the workers talk TLS to ``broker``, where the workers' way is known."""
    if not (broker.tls or broker.ca or broker.client_cert or broker.unsafe):
        return []
    from kustomizer.openedx.broker_warnings import tls_warnings  # noqa: PLC0415 - all are about these

    url, options = celery.broker.likely, celery.use_ssl.likely
    # kombu takes options of the URL before the settings'.
    of_url = {name: value for name, value in url.value.query if name.startswith("ssl_")} if url is not None else {}
    is_unknown = options is None or (url is None and bool(options.source.default))
    if is_unknown and not of_url:
        return []
    ssl = of_url or (options.value if options is not None else None)
    stated = options is not None and not of_url and not options.source.default
    source = options.source if stated and options is not None else celery.broker.source
    what = "BROKER_USE_SSL" if stated else "the broker's URL"
    owner = str(source.resource or celery.settings.container.resource)
    return list(
        tls_warnings(
            config,
            broker,
            ssl,
            owner,
            lambda message, remedy: source.problem(f"{what} {message}", remedy, severity=WARNING),
        )
    )


def _address(
    broker: BrokerUrl, source: Source, configured: Broker | None, namespace: str, *, located: bool
) -> Endpoint:
    """Return what the broker's URL says. Raises UserError where it is no Redis, or has no database's number."""
    if not broker.is_redis:
        message = f"the broker's transport is {broker.transport}: only Redis tells how many tasks wait and how "
        message += "many are in flight"
        remedy = "Use redis, rediss or sentinel, or leave keda, flower and restoreOrphans out"
        raise UserError(source.problem(message, remedy))
    stated = None if configured is None else configured.database
    database = stated if broker.database is None else broker.database
    if database is None:
        message = f"the database isn't {'known' if broker.unknown else 'a number'}"
        raise UserError(source.problem(message, "Set spec.broker.database"))
    hosts = [server(host, port, namespace) for host, port in broker.hosts]
    return Endpoint(
        addresses=tuple(hosts if broker.transport == "sentinel" else hosts[:1]),
        database=database,
        username=broker.username,
        password=broker.password,
        username_key=_key(broker.username_from),
        password_key=_key(broker.password_from),
        tls=broker.transport == "rediss" or any(name.startswith("ssl_") for name, _ in broker.query),
    )


def _key(unseen: Unseen | None) -> SecretKey | None:
    return None if unseen is None else SecretKey(secret=unseen.secret, key=unseen.key)


def _credentials_warnings(broker: BrokerUrl, source: Source, configured: Broker | None) -> Iterator[Problem]:
    """Yield warnings about credentials that only a running pod knows."""
    if configured is not None and (configured.existing_secret or configured.trigger_authentication):
        return
    for name, unseen in (("username", broker.username_from), ("password", broker.password_from)):
        if name == "username" and configured is not None and configured.username is not None:
            continue
        if name in broker.unknown:
            message = f"the broker's {name} isn't known, and KEDA, Flower and restoreOrphans give none"
            remedy = "Name the Secret that holds it in spec.broker.existingSecret"
            yield source.problem(message, remedy, severity=WARNING)
        elif unseen is not None and not unseen.is_quoted:
            message = f"the broker's {name} is {unseen.key} of Secret {unseen.secret}, which isn't in the build: "
            message += "Celery decodes %xx in it, and KEDA, Flower and restoreOrphans take it as it is"
            remedy = "Name a Secret with it as Redis knows it in spec.broker.existingSecret; that may be the same one"
            yield source.problem(message, remedy, severity=WARNING)


def _unstated(broker: Value) -> Problem:
    """Return the warning that the configuration says where a broker is, and not how to talk to it."""
    reason = broker.reason if isinstance(broker, Unknown) else ""
    message = f"what the broker's URL says isn't known ({reason}): where spec.broker doesn't say otherwise, "
    message += "database 0, no TLS and no credentials are taken"
    remedy = "State spec.broker.database and tls.enabled, and existingSecret where Redis wants a password"
    return broker.source.problem(message, remedy, severity=WARNING)


class _EndpointReader:
    """Reads values that may not be known, and collects warnings."""

    def __init__(self, container: Source, *, located: bool) -> None:
        self.container = container
        self.located = located
        self.warnings: list[Problem] = []

    def value(self, value: Value, what: str, field: str, *, needed: bool) -> Any:
        """Return ``value`` as far as it is known, else None; raises UserError if it is unknown and ``needed``."""
        if isinstance(value, Known):
            return value.value
        remedy = f"Set {field}"
        if value.otherwise is not None:
            # Code in the image isn't part of the build: not every site is to be warned of it.
            unseen = (is_environments(value.source) and needed) or value.source.field.endswith(".volumes")
            if unseen and not self.located and not any(value.reason in warning.message for warning in self.warnings):
                message = f"{what} isn't sure: {value.reason}. Without that it is as {value.otherwise.source} says"
                self.warnings.append(value.source.problem(message, f"{remedy} if it does", severity=WARNING))
            return value.otherwise.value
        if needed:
            message = f"{what} isn't known: {value.reason}"
            # A default has no object: the container's mounts could say more.
            source = value.source if value.source.resource is not None else self.container
            raise UserError(source.problem(message, f"{remedy}, and what else differs from the defaults"))
        return None
