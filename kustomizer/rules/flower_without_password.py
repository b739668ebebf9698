"""Flower that answers everybody.

Flower shows tasks with their arguments and results, which name users and courses, and its API can shut workers down.
Without a password it does so for whoever reaches it.

**Severity:**

- error where it can be reached from outside of the cluster: through an Ingress, an HTTPRoute, a site of Tutor's
  Caddy, or a Service of type LoadBalancer or NodePort; and where `FLOWER_UNAUTHENTICATED_API` lets anyone shut
  workers down;
- info where only pods of the cluster reach it.

**What to do:** `spec.flower.basicAuth.existingSecret` names a Secret with `user:password`. `/metrics` and
`/healthcheck` answer without it all the same, and the function keeps them from the outside.

**What isn't seen:** a proxy in front of it that asks for a password itself; what a Secret holds that isn't in the
build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kustomizer.errors import ERROR, INFO, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import command_words, is_null, lookup, mapping, mappings, plain_value
from kustomizer.openedx.celery_programs import is_flower
from kustomizer.openedx.workers import pod_template, running
from kustomizer.site.flower import services_of
from kustomizer.site.model import Site

_VARIABLES = frozenset({"FLOWER_BASIC_AUTH", "FLOWER_AUTH", "FLOWER_AUTH_PROVIDER"})
_OPTION = re.compile(r"--(?:basic[-_]auth|auth|auth[-_]provider)(?:=.+)?")
_TRUE = frozenset({"true", "yes", "1", "on"})
_REMEDY = "Set spec.flower.basicAuth.existingSecret to a Secret with user:password"


def check(site: Site) -> Iterator[Problem]:
    """Find the Flowers without a password."""
    for resource in site.resources.of_kind("Deployment", "StatefulSet"):
        template = pod_template(resource) if resource.mentions("flower") else None
        for (listed, index), container in running(template):
            field = f"spec.template.spec.{listed}[{index}].env"
            if is_flower(container) and not _has_password(site, resource, container):
                yield _problem(resource, field, _way_in(site, resource))
            elif is_flower(container) and _has_open_api(container):
                message = "lets anyone who reaches it shut workers down (FLOWER_UNAUTHENTICATED_API)"
                yield resource.problem(message, "Take the variable out", field=field)


def _problem(resource: Resource, field: str, way_in: str) -> Problem:
    whom = f"everybody: {way_in} leads to it from outside" if way_in else "every pod of the cluster"
    message = f"shows tasks, with arguments and results, to {whom}"
    return resource.problem(message, _REMEDY, field=field, severity=ERROR if way_in else INFO)


def _has_password(site: Site, resource: Resource, container: Any) -> bool:
    if any(_OPTION.fullmatch(word) for word in command_words(container)):
        return True
    entries = [entry for entry in mappings(lookup(container, "env")) if entry.get("name") in _VARIABLES]
    if any(entry.get("value") or entry.get("valueFrom") for entry in entries):
        return True
    for source in mappings(lookup(container, "envFrom")):
        for kind, member in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
            name = str(mapping(source.get(member)).get("name") or "")
            items = site.resources.find(kind, name, resource.namespace) if name else []
            if name and not items:
                # Made in the cluster: it may hold the password.
                return True
            data = [mapping(lookup(item.tree, at)) for item in items for at in ("data", "stringData")]
            if any(_VARIABLES & values.keys() for values in data):
                return True
    return False


def _has_open_api(container: Any) -> bool:
    return any(
        entry.get("name") == "FLOWER_UNAUTHENTICATED_API" and str(entry.get("value", "")).lower() in _TRUE
        for entry in mappings(lookup(container, "env"))
    )


def _way_in(site: Site, resource: Resource) -> str:
    """Return what leads to the pods from outside of the cluster, empty where nothing in the build does."""
    services = services_of(site, resource)
    for service in services:
        kind = plain_value(lookup(service.tree, "spec", "type"))
        if kind in {"LoadBalancer", "NodePort"}:
            return f"Service {service.name} (type {kind})"
    names = {service.name for service in services}
    for route in site.resources.of_kind("Ingress", "HTTPRoute"):
        if route.namespace == resource.namespace and names & _backends(plain_value(lookup(route.tree, "spec"))):
            return f"{route.kind} {route.name}"
    for config_map in site.resources.of_kind("ConfigMap"):
        caddyfile = lookup(config_map.tree, "data", "Caddyfile")
        if is_null(caddyfile) or config_map.namespace != resource.namespace:
            continue
        if any(re.search(rf"[\s\"/]{re.escape(name)}:\d", str(caddyfile)) for name in names):
            return f"the Caddyfile of ConfigMap {config_map.name}"
    return ""


def _backends(node: Any) -> set[str]:
    """Return the Services that an Ingress or an HTTPRoute names."""
    if isinstance(node, list):
        return {name for child in node for name in _backends(child)}
    if not isinstance(node, dict):
        return set()
    names = {name for child in node.values() for name in _backends(child)}
    service = node.get("service")
    if isinstance(service, dict) and service.get("name"):
        names.add(str(service["name"]))
    names |= {str(reference.get("name")) for reference in mappings(node.get("backendRefs"))}
    return names
