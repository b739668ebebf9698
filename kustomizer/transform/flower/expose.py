"""Exposes Flower outside the cluster: through Tutor's own Caddy, an Ingress, or an HTTPRoute."""

from __future__ import annotations

from kustomizer.errors import INFO, Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.workers import CONFIG_MAP as OPENEDX_CONFIG
from kustomizer.transform.flower.options import PORT, PORT_NAME, url_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower
    from kustomizer.manifests.resource import Resources

CADDY_CONFIG = "caddy-config"
_FIELD = "spec.flower.expose"
# The LMS' host as Tutor writes it into lms.env.yml; `tutor dev` alone adds a port.
_LMS_BASE = "\nLMS_BASE:"
_IN_HOSTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")


def expose(
    resources: Resources, flower: Flower, metadata: dict[str, Any], worker: Resource
) -> tuple[list[Resource], list[Problem]]:
    """Return the objects that expose Flower, and notes; for ``type: Caddy`` edit Tutor's Caddyfile instead."""
    host = flower.expose.host or f"flower.{_lms_host(resources, worker)}"
    metrics = f"{url_prefix(flower)}/metrics"
    if flower.expose.type == "Caddy":
        _add_caddy_block(resources, host, metrics, worker)
        return [], []
    if flower.expose.type == "Ingress":
        resource = Resource.beside(worker, "networking.k8s.io/v1", "Ingress", metadata, spec=_ingress(host))
        message = f"an Ingress can't close {metrics}, which answers without a password"
        remedy = "Deny that path with an annotation of your ingress controller, or use type: Caddy"
    else:
        spec = _http_route(host, metrics)
        resource = Resource.beside(worker, "gateway.networking.k8s.io/v1", "HTTPRoute", metadata, spec=spec)
        message = "the HTTPRoute belongs to no Gateway yet"
        remedy = "Patch its spec.parentRefs, in a transformer behind this function"
    return [resource], [resource.problem(message, remedy, field="spec", severity=INFO)]


def _lms_host(resources: Resources, worker: Resource) -> str:
    for resource in resources.generated("ConfigMap", OPENEDX_CONFIG, worker.namespace):
        _, key, rest = f"\n{lookup(resource.tree, 'data', 'lms.env.yml') or ''}".partition(_LMS_BASE)
        value = rest.partition("\n")[0].lstrip(" \t").lstrip("\"'")
        host = value[: next((end for end, char in enumerate(value) if char not in _IN_HOSTS), len(value))]
        if key and host:
            return host
    message = "the build doesn't say what the host of the LMS is"
    raise UserError.of(message, field=f"{_FIELD}.host", remedy="Set Flower's host name")


def _add_caddy_block(resources: Resources, host: str, metrics: str, worker: Resource) -> None:
    """Add Flower's block to Tutor's Caddyfile, unless it is there."""
    for resource in resources.generated("ConfigMap", CADDY_CONFIG, worker.namespace):
        text = lookup(resource.tree, "data", "Caddyfile")
        if text is None:
            continue
        block = _caddy_block(host, metrics)
        if block in text:
            return
        if _has_caddy_block(text, host):
            remedy = "Turn off what adds it (tutor-contrib-celery: CELERY_FLOWER_EXPOSE_SERVICE), or set "
            remedy += f"{_FIELD}.host to another name"
            message = f"already has a site {host}; Caddy refuses a second one"
            raise UserError(resource.problem(message, remedy, field="data.Caddyfile"))
        resource.edit()["data"]["Caddyfile"] = text.rstrip("\n") + "\n\n" + block
        return
    message = f"the build has no ConfigMap {CADDY_CONFIG} with a Caddyfile"
    raise UserError.of(message, field=f"{_FIELD}.type", remedy="Use type: Ingress or HTTPRoute")


def _has_caddy_block(caddyfile: str, host: str) -> bool:
    """Tell whether the Caddyfile has a block for ``host``, alone or among other hosts."""
    if host not in caddyfile:
        return False
    import re  # noqa: PLC0415 - costs 5 ms, and hardly any site's Caddyfile names the host yet

    return re.search(rf"^(?:\S+, )*{re.escape(host)}(?:\{{|[ ,:])", caddyfile, re.MULTILINE) is not None


def _caddy_block(host: str, metrics: str) -> str:
    """Return the block of a Caddyfile for Flower, in the form of those of Tutor's plugins.

    It works without Tutor's web proxy, too: its Caddy then listens on a port that another proxy forwards to.
    """
    return (
        "# Flower\n"
        f"{host}{{$default_site_port}} {{\n"
        "    # Flower asks nobody for a password here.\n"
        f"    @metrics path {metrics} {metrics}/*\n"
        "    respond @metrics 404\n"
        f'    import proxy "flower:{PORT}"\n'
        "}\n"
    )


def _ingress(host: str) -> dict[str, Any]:
    backend = {"service": {"name": "flower", "port": {"name": PORT_NAME}}}
    return {"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}


def _http_route(host: str, metrics: str) -> dict[str, Any]:
    """Return a route whose rule for metrics has no backend, so that a gateway answers with an error."""
    return {
        "hostnames": [host],
        "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": metrics}}]},
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "flower", "port": PORT}],
            },
        ],
    }
