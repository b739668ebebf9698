"""Reads from a built site what a comparison with the plugin's site needs: workers, routing and Flower."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings, number_at
from kustomizer.openedx.celery.sender import sender_view
from kustomizer.record import Record
from kustomizer.site.model import Site, SiteWorker
from kustomizer.site.queues import Scaling, queues_of

# A block of a Caddyfile that passes all requests on to Flower.
CADDY_BLOCK = re.compile(r"(?m)^(?:# flower\n)?([^\s{$]+)[^\n]*\{\n[^}]*\bflower:5555\b[^}]*\}\n?")
WORKER_NAME = re.compile(r"(lms|cms)-worker(-|$)")


class WorkerFacts(Record):
    """A worker's Deployment and its ScaledObject."""

    queues: list[str]
    options: dict[str, str]
    """The options of `celery worker` by long name, without those for the queues and the name."""
    hostname: str = ""
    replicas: int = 1
    scaling: Scaling | None = None
    list_lengths: dict[str, int] = {}  # noqa: RUF012 - a Record's default
    """KEDA's list lengths by queue."""


class FlowerFacts(Record):
    """Flower's Deployment, and what belongs to it."""

    image: str
    host: str = ""
    """The host where it is exposed."""
    monitored: bool = False
    clear_text: bool = False
    """Whether its password is in the Deployment itself."""


class SiteFacts(Record):
    """What the comparison looks at in one build."""

    workers: dict[str, WorkerFacts]
    routing: Mapping[str, dict[str, str]]
    flower: FlowerFacts | None


def facts(site: Site, routing: Mapping[str, dict[str, str]]) -> SiteFacts:
    """Return the facts of ``site``; ``routing`` has the queues of the tasks that each service sends."""
    scalings: dict[str, dict[str, Scaling]] = {}
    for row in queues_of(site):
        if row.scaling.by == "KEDA":
            scalings.setdefault(row.deployment, {})[row.queue] = row.scaling
    workers = {
        worker.resource.name: _worker(worker, scalings.get(worker.resource.name, {}))
        for worker in site.open_edx_workers
        if WORKER_NAME.match(worker.resource.name)
    }
    return SiteFacts(workers=workers, routing=routing, flower=_flower(site))


def routing_of(site: Site) -> dict[str, dict[str, str]]:
    """Return the queues of the tasks that the settings of lms and of cms route."""
    services = {service: site.resources.find("Deployment", service) for service in OPEN_EDX_SERVICES}
    views = {service: sender_view(site.resources, found[0]) if found else None for service, found in services.items()}
    return {
        service: {} if view is None else {task: queue for task, queue, _source in view.known_routes()}
        for service, view in views.items()
    }


def container(deployment: Resource) -> dict[str, Any]:
    """Return a Deployment's first container as plain values."""
    containers = mappings(lookup(deployment.tree, "spec", "template", "spec", "containers"))
    return containers[0] if containers else {}


def _worker(worker: SiteWorker, scalings: dict[str, Scaling]) -> WorkerFacts:
    settings = (setting for item in worker.emitted.command_line.items for setting in item.settings)
    options = {setting.option.name.removeprefix("--"): setting.value or "" for setting in settings}
    options.pop("queues", None)
    replicas = number_at(worker.resource.tree, "spec", "replicas")
    return WorkerFacts(
        queues=list(worker.queues),
        hostname=options.pop("hostname", ""),
        options=options,
        replicas=1 if replicas is None else replicas,
        scaling=next(iter(scalings.values()), None),
        list_lengths={queue: scaling.list_length for queue, scaling in scalings.items() if scaling.list_length},
    )


def _flower(site: Site) -> FlowerFacts | None:
    deployment = next(iter(site.resources.find("Deployment", "flower")), None)
    if deployment is None:
        return None
    flower = container(deployment)
    return FlowerFacts(
        image=str(flower.get("image", "")),
        host=next(_flower_hosts(site), ""),
        monitored=bool(site.resources.find("ServiceMonitor", "flower")),
        clear_text=any(
            variable.get("name") == "FLOWER_BASIC_AUTH" and "$(" not in str(variable.get("value", "$("))
            for variable in mappings(flower.get("env"))
        ),
    )


def _flower_hosts(site: Site) -> Iterator[str]:
    for config_map in site.resources.of_kind("ConfigMap"):
        if config_map.mentions("flower:5555"):
            caddyfile = str(mapping(lookup(config_map.tree, "data")).get("Caddyfile", ""))
            yield from (match[1] for match in CADDY_BLOCK.finditer(caddyfile))
