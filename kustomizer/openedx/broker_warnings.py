"""Warnings about the broker as KEDA, Flower and restoreOrphans see it."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import list_at, lookup, text_at
from kustomizer.openedx.endpoint import is_placeholder
from kustomizer.openedx.env_file import url_ssl, use_ssl
from kustomizer.openedx.workers import pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.endpoint import Endpoint
    from kustomizer.openedx.env_file import EnvironmentFile

# kombu (utils/url.py, connection.py) ends a host, a URL or an IPv6 address at one of these.
_NOT_IN_URLS = frozenset("/?#;[]")


def unsure(
    resources: Resources, config: CeleryWorkers, service: str, worker: Resource | None, broker: Endpoint
) -> Iterator[Problem]:
    """Yield warnings about values that the cluster replaces; ``worker`` is given if it names hosts by itself."""
    secret = "Name the Secret that holds it in spec.broker.existingSecret"
    encoded = "put in later, and the Secrets that are made here have it encoded: there it may stay as it is"
    for what, values, why, remedy in (
        ("user", (broker.username,), encoded, secret),
        ("password", (broker.password,), encoded, secret),
        ("address", broker.addresses, "put in later", "Give it its namespace, without which KEDA finds no Service"),
    ):
        left = next((value for value in values if "$(" in value and not is_placeholder(value)), "")
        if left:
            name = left.partition("$(")[2].partition(")")[0]
            message = (
                f"the {what} of {service}'s broker has $({name}) in it: no variable of this name stands before it "
            )
            message += "in env, and the kubelet leaves it as it is"
            yield config.problem(message, f"Put {name} before it", field="spec.broker", severity=WARNING)
        if any(map(is_placeholder, values)):
            message = f"the {what} of {service}'s broker is {why}"
            yield config.problem(message, remedy, field="spec.broker", severity=WARNING)
    if worker is not None:
        yield from _other_names(resources, config, worker, broker)


def _other_names(resources: Resources, config: CeleryWorkers, worker: Resource, broker: Endpoint) -> Iterator[Problem]:
    """Yield warnings where the pods of ``worker`` find another host than the rest of the cluster under a name."""
    pod = lookup(pod_template(worker), "spec")
    aliases = {str(name) for alias in list_at(pod, "hostAliases") for name in list_at(alias, "hostnames")}
    searched = list_at(pod, "dnsConfig", "searches")
    policy = text_at(pod, "dnsPolicy")
    for host in [address.rpartition(":")[0] for address in broker.addresses]:
        name, _, rest = host.partition(".")
        message = ""
        if aliases & {host, name}:
            message = f"pods of {worker.name} have another address for {host} than all else (hostAliases)"
        elif rest == worker.namespace and policy in ("Default", "None"):
            message = f"pods of {worker.name} don't ask the cluster for {name} first (dnsPolicy: {policy})"
        elif rest == worker.namespace and searched and not resources.find("Service", name, worker.namespace):
            message = f"pods of {worker.name} look {name} up in {', '.join(map(str, searched))}, too (dnsConfig), and "
            message += f"the build has no Service of that name in {worker.namespace}"
        if message:
            yield config.problem(message, "Set it to that address", field="spec.broker.address", severity=WARNING)


def broker_warnings(
    config: CeleryWorkers, file: EnvironmentFile, broker: Endpoint, *, speaks_tls: bool
) -> list[Problem]:
    """Return warnings about ``broker``, which Open edX reads from ``file``; to it the workers talk TLS, or don't."""
    warnings = []
    if broker.password and _NOT_IN_URLS & set(file.values["CELERY_BROKER_PASSWORD"]):
        message = "has a '/', '?', '#', ';' or bracket, which ends the host in the URL that Open edX makes: its "
        message += "workers can't connect"
        remedy = "Percent-encode it in Tutor's REDIS_PASSWORD; it is decoded here as Celery does"
        warnings.append(file.problem("CELERY_BROKER_PASSWORD", message, remedy, severity=WARNING))
    key = "CELERY_BROKER_VHOST" if url_ssl(file) else "BROKER_USE_SSL"

    def problem(message: str, remedy: str) -> Problem:
        return file.problem(key, message, remedy, severity=WARNING)

    if broker.tls and not speaks_tls:
        # What is said of it is said of the configuration.
        return warnings
    return [*warnings, *tls_warnings(config, broker, use_ssl(file), str(file.owner.ref), problem)]


def tls_warnings(
    config: CeleryWorkers, broker: Endpoint, ssl: Any, owner: str, problem: Callable[[str, str], Problem]
) -> Iterator[Problem]:
    """Yield warnings about how others than the workers talk TLS to ``broker``.

    ``ssl`` are the workers' TLS options, ``owner`` says so, and ``problem`` makes a warning about them.
    """
    if not broker.tls:
        if broker.ca or broker.client_cert or broker.unsafe:
            message = f"says how to talk TLS, but {owner} says that the broker talks plain text"
            remedy = "Set spec.broker.tls.enabled: true if the broker talks TLS, or take tls out"
            yield config.problem(message, remedy, field="spec.broker.tls", severity=WARNING)
        return
    if broker.unsafe:
        return
    if ssl is True:
        message = "is true, which Celery's Redis transport ignores: the workers talk plain text"
        remedy = "Write the options instead, such as {ssl_cert_reqs: required}; where plain text is meant, set "
        yield problem(message, f"{remedy}spec.broker.tls.enabled: false")
    if broker.ca is None and isinstance(ssl, dict) and ssl.get("ssl_ca_certs"):
        message = "names a CA by a path in the worker's pod, which no other pod can read"
        remedy = "Set spec.broker.tls.ca to the Secret that holds it, unless a public CA signed the certificate"
        yield problem(message, remedy)
    elif broker.ca is None and _is_unverified(ssl):
        message = "lets the workers take any certificate, but KEDA, Flower and restoreOrphans check it"
        remedy = "Set spec.broker.tls.ca to the Secret that holds its CA (or unsafe: true), unless a public CA "
        yield problem(message, f"{remedy}signed it")
    if not broker.client_cert and isinstance(ssl, dict) and ssl.get("ssl_certfile"):
        message = "names a client certificate by a path in the worker's pod, which no other pod can read"
        remedy = "Set spec.broker.tls.clientCert to the Secret that holds it, if the broker asks for one"
        yield problem(message, remedy)


def _is_unverified(ssl: Any) -> bool:
    """Tell whether the workers check no certificate; by default kombu checks none (kombu/utils/url.py)."""
    if not isinstance(ssl, dict):
        return not ssl
    required = ssl.get("ssl_cert_reqs", "required")
    # One of Python's own (ssl.CERT_NONE) is a number.
    required = int(required) if isinstance(required, int) else required
    return str(required).upper().removeprefix("CERT_") in ("NONE", "0")
