"""A ScaledObject that asks another Redis than its worker's.

KEDA asks Redis from its own namespace, so the address needs the namespace of the site (`redis.openedx:6379`). An
address without one finds nothing, or another site's Redis; and when an outer kustomization moves the site
(`namespace:`), the address keeps the old one, since kustomize doesn't know that a namespace stands in it. The scaler
then counts another site's queues, or the ScaledObject isn't ready and its worker keeps the pods that it has.

A trigger of somebody else's that asks another server or database than its worker's, or without its worker's TLS, is
found, too. So is an address that is a URL (KEDA takes `host:port`), and one from a variable (`addressFromEnv`) that the
container hasn't got.

**Severity:** error; warning for another server, which may be another name of the same; a note for another namespace
where only a running pod knows the worker's broker. A Redis in another namespace is right where the worker itself names
it.

**What to do:** set the namespace below the function, where Tutor does (`K8S_NAMESPACE`), or name the address in
`spec.broker.address`. A ScaledObject that is somebody else's has its address from there: for tutor-contrib-k8s it is
Tutor's `REDIS_HOST`, and `redis.openedx` is right for Open edX, too.

**What isn't seen:** whether an address outside of the cluster is the right one, for a trigger of ours or a worker whose
broker only a running pod knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings, plain_value
from kustomizer.openedx.celery.environment import Environment
from kustomizer.openedx.celery.values import Known
from kustomizer.openedx.endpoint import SOCKET, one_name
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.counted_lists import is_ours
from kustomizer.site.model import Site

_KEYS = ("address", "addresses", "host", "hosts")
# What the name of a field ends in that names a variable, and the fields that may (KEDA's pkg/scalers/redis_scaler.go).
_FROM_ENV = "FromEnv"
_OF_VARIABLES = (
    *_KEYS,
    *("password", "port", "ports", "sentinelMaster", "sentinelPassword", "sentinelUsername", "username"),
)


def check(site: Site) -> Iterator[Problem]:
    """Find the addresses without a namespace, those with another one, and what isn't the worker's own."""
    for resource in site.resources.of_kind("ScaledObject"):
        addresses = set()
        for index, trigger in enumerate(mappings(lookup(resource.tree, "spec", "triggers"))):
            if not str(trigger.get("type", "")).startswith("redis"):
                continue
            path = f"spec.triggers[{index}].metadata"
            metadata, missing = _with_variables(site, resource, mapping(trigger.get("metadata")))
            # What it is authenticated with may have the value, too.
            for key, variable in missing.items() if not trigger.get("authenticationRef") else ():
                yield _without_variable(resource, f"{path}.{key}", variable)
            yield from _of_another(site, resource, path, trigger | {"metadata": metadata})
            for key, address in _addresses(metadata):
                message, severity = _fault(site, resource, address)
                if message and address not in addresses:
                    addresses.add(address)
                    field = f"{path}.{_field(metadata, key)}"
                    remedy = _remedy(resource, address)
                    remedy = f"Where it doesn't, {remedy[0].lower()}{remedy[1:]}" if severity == INFO else remedy
                    yield resource.problem(message, remedy, field=field, severity=severity)


def _with_variables(
    site: Site, resource: Resource, metadata: Mapping[str, Any]
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Return a trigger's metadata with what the variables hold that it names, and those that aren't there."""
    named = {key: str(metadata[key + _FROM_ENV]) for key in _OF_VARIABLES if metadata.get(key + _FROM_ENV)}
    workers = site.workers_of(*scale_target(resource), resource.namespace) if named else []
    if not workers:
        return dict(metadata), {}
    containers = mappings(lookup(workers[0].resource.tree, "spec", "template", "spec", "containers"))
    asked = plain_value(lookup(resource.tree, "spec", "scaleTargetRef", "envSourceContainerName"))
    container = next((each for each in containers if asked in (None, "", each.get("name"))), {})
    environment = Environment(site.resources, workers[0].resource, "", container)
    values = {key: environment.get(variable) for key, variable in named.items() if key not in metadata}
    known = {key: str(value.value) for key, value in values.items() if isinstance(value, Known)}
    return {**metadata, **known}, {key + _FROM_ENV: named[key] for key, value in values.items() if value is None}


def _without_variable(resource: Resource, field: str, variable: str) -> Problem:
    message = f"{variable} is no variable of the container that KEDA looks at (the first of the pod, or "
    message += "envSourceContainerName): the trigger counts nothing"
    remedy = f"Set {variable} there, or name the value itself where this ScaledObject is made"
    return resource.problem(message, remedy, field=field)


def _field(metadata: Mapping[str, Any], key: str) -> str:
    """Return what the trigger has itself: the key, or the one that names a variable."""
    return f"{key}{_FROM_ENV}" if metadata.get(f"{key}{_FROM_ENV}") else key


def _remedy(resource: Resource, address: str) -> str:
    if _is_url(address):
        return "Give it host:port, where this ScaledObject is made"
    if not resource.namespace:
        return "Set the site's namespace (`namespace:` in a kustomization below the function), or one in the address"
    if is_ours(resource):
        place = "in spec.broker.address or where the namespace is set"
        return f"Give the address the namespace {resource.namespace}, {place}"
    name = address.partition(":")[0].partition(".")[0]
    return (
        f"Name {name}.{resource.namespace} where this ScaledObject is made (tutor-contrib-k8s takes Tutor's "
        "REDIS_HOST), or turn it off there and set keda.enabled: true"
    )


def _of_another(site: Site, resource: Resource, path: str, trigger: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield how somebody else's trigger asks another Redis than its worker's, where that is known."""
    workers = site.workers_of(*scale_target(resource), resource.namespace)
    broker = workers[0].broker if workers and not is_ours(resource) else None
    # Sentinel and cluster triggers have addresses of another kind; a host in the pod is a proxy's.
    if broker is None or not broker.is_redis or broker.transport == "sentinel" or trigger.get("type") != "redis":
        return
    name, metadata = workers[0].resource.name, mapping(trigger.get("metadata"))

    def problem(key: str, message: str, severity: str = ERROR) -> Problem:
        remedy = "Correct it where this ScaledObject is made, or turn it off there and set keda.enabled: true"
        field = f"{path}.{_field(metadata, key)}"
        return resource.problem(message, remedy, field=field, severity=severity)

    database = str(metadata.get("databaseIndex", "0"))
    if broker.database is not None and database not in (str(broker.database), "") and "$" not in database:
        message = f"counts in database {database}, and the tasks of {name} are in database {broker.database}"
        yield problem("databaseIndex", message)
    # What it is authenticated with may say so, too.
    by_tls = str(metadata.get("enableTLS", "false")) == "true"
    if not trigger.get("authenticationRef") and workers[0].uses_tls is (not by_tls):
        how = ("with TLS", "without") if by_tls else ("without TLS", "with it")
        yield problem("enableTLS", f"asks Redis {how[0]}, and {name} connects {how[1]}: KEDA gets no answer")
    address = str(metadata.get("address") or "")
    host, port = address.rpartition(":")[0], address.rpartition(":")[2]
    counted = f"{one_name(host, resource.namespace)}:{port}"
    own = [f"{one_name(server, resource.namespace)}:{number}" for server, number in broker.hosts]
    is_certain = host and "$" not in address and not _fault(site, resource, address)[0]
    if is_certain and counted not in own and not any(server.startswith(("localhost:", SOCKET)) for server in own):
        message = f"counts at {counted}, and {name} takes its tasks from {', '.join(own)}"
        yield problem("address", f"{message}, unless these are two names of one server", WARNING)


def _addresses(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _KEYS:
        for address in str(metadata.get(key) or "").split(","):
            if address.strip():
                yield key, address.strip()


def _is_url(address: str) -> bool:
    return "://" in address or "@" in address


def _fault(site: Site, resource: Resource, address: str) -> tuple[str, str]:
    """Return what is wrong with an address, empty if nothing is, and how grave that is."""
    host = address.rpartition(":")[0] if address.rpartition(":")[2].isdigit() else address
    name, dot, rest = host.partition(".")
    if _is_url(address):
        return "has a URL for an address, and KEDA takes host:port alone: the trigger counts nothing", ERROR
    if ":" in host or host == "localhost" or host.startswith("$"):
        return "", ERROR
    if not dot:
        return f"names {address} without a namespace, and KEDA looks for it in its own", ERROR
    namespace, _, domain = rest.partition(".")
    in_cluster = not domain or domain == "svc" or domain.startswith("svc.")
    own = site.resources.find("Service", name, resource.namespace)
    if not in_cluster or not own or namespace == resource.namespace:
        return "", ERROR
    workers = site.workers_of(*scale_target(resource), resource.namespace)
    broker = workers[0].broker if workers else None
    if broker is not None and one_name(host, resource.namespace) in [
        one_name(server, resource.namespace) for server, _ in broker.hosts
    ]:
        return "", ERROR
    names = f"names {address}, in namespace {namespace}"
    if workers and broker is None:
        # As where spec.broker.address answers for a Secret that isn't in the build.
        return f"{names}: whether {workers[0].resource.name} connects there, only a running pod knows", INFO
    return f"{names}, and the worker's is in {resource.namespace}", ERROR
