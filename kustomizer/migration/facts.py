"""What two builds of a site have to agree on for Celery: workers, their scaling, routing, Flower."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.record import Record
from kustomizer.worker_command.worker import find_worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Documents = Sequence[dict[str, Any]]

# A site of Caddy's that passes everything on to Flower.
FLOWER_SITE = re.compile(r"(?m)^(?:# flower\n)?([^\s{$]+)[^\n]*\{\n[^}]*\bflower:5555\b[^}]*\}\n?")


class ScalingFacts(Record):
    """What a ScaledObject says."""

    minimum: int
    maximum: int
    list_lengths: dict[str, int]
    """By queue; the triggers for what is in flight don't count."""


class WorkerFacts(Record):
    """What a worker's Deployment says."""

    queues: list[str]
    options: dict[str, str]
    """Options of `celery worker` by long name, the last of each; not which queues and which name."""
    hostname: str = ""
    replicas: int = 1
    scaling: ScalingFacts | None = None


class FlowerFacts(Record):
    """What there is of Flower."""

    image: str
    host: str = ""
    """Where it is exposed."""
    monitored: bool = False
    clear_text: bool = False
    """Whether its password stands in the Deployment."""


class SiteFacts(Record):
    """What a build says about Celery."""

    workers: dict[str, WorkerFacts]
    routing: dict[str, dict[str, str]]
    flower: FlowerFacts | None


def facts(documents: Documents, *, settings: str) -> SiteFacts:
    """Return what ``documents`` say; ``settings`` names the ConfigMap with a service's routing, as `openedx-{}`."""
    routing = {service: _routing(documents, settings.format(service)) for service in OPEN_EDX_SERVICES}
    return SiteFacts(workers=dict(_workers(documents)), routing=routing, flower=_flower(documents))


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment's first container."""
    found = deployment["spec"]["template"]["spec"]["containers"][0]
    return found if isinstance(found, dict) else {}


def named(documents: Documents, *kinds: str) -> dict[str, dict[str, Any]]:
    """Return the objects of these kinds by name."""
    return {str(item["metadata"]["name"]): item for item in documents if item.get("kind") in kinds}


def _workers(documents: Documents) -> Iterator[tuple[str, WorkerFacts]]:
    scaled = {
        item["spec"]["scaleTargetRef"]["name"]: item["spec"] for item in named(documents, "ScaledObject").values()
    }
    for name, deployment in named(documents, "Deployment").items():
        if not re.match(r"(lms|cms)-worker(-|$)", name):
            continue
        first = container(deployment)
        line = find_worker(first.get("command"), first.get("args"))
        if line is None:
            continue
        options = {
            setting.option.name.removeprefix("--"): setting.value or ""
            for item in line.items
            for setting in item.settings
        }
        queues = options.pop("queues", "")
        yield (
            name,
            WorkerFacts(
                queues=queues.split(",") if queues else [],
                hostname=options.pop("hostname", ""),
                options=options,
                replicas=deployment["spec"].get("replicas", 1),
                scaling=_scaling(scaled[name]) if name in scaled else None,
            ),
        )


def _scaling(spec: dict[str, Any]) -> ScalingFacts:
    lengths = {
        trigger["metadata"]["listName"]: int(trigger["metadata"]["listLength"])
        for trigger in spec.get("triggers") or ()
        if "listName" in trigger.get("metadata", {}) and trigger.get("name") != "inflight"
    }
    return ScalingFacts(
        minimum=spec.get("minReplicaCount", 0), maximum=spec.get("maxReplicaCount", 100), list_lengths=lengths
    )


def _routing(documents: Documents, config_map: str) -> dict[str, str]:
    texts = [
        text
        for name, item in named(documents, "ConfigMap").items()
        if re.fullmatch(rf"{config_map}(-[0-9a-z]{{10}})?", name)
        for key, text in (item.get("data") or {}).items()
        if key == "production.py"
    ]
    return {task: queue for text in texts for task, queue in _routes(text)}


def _routes(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of every ``{task: {"queue": queue}}`` in a settings module."""
    for node in ast.walk(ast.parse(text)):
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(value, ast.Dict):
                inner = {
                    k.value: v for k, v in zip(value.keys, value.values, strict=True) if isinstance(k, ast.Constant)
                }
                queue = inner.get("queue")
                if isinstance(queue, ast.Constant):
                    yield key.value, str(queue.value)


def _flower(documents: Documents) -> FlowerFacts | None:
    deployment = named(documents, "Deployment").get("flower")
    if deployment is None:
        return None
    first = container(deployment)
    hosts = [
        found[1]
        for item in named(documents, "ConfigMap").values()
        for text in [(item.get("data") or {}).get("Caddyfile", "")]
        for found in FLOWER_SITE.finditer(text)
    ]
    return FlowerFacts(
        image=first["image"],
        host=hosts[0] if hosts else "",
        monitored="flower" in named(documents, "ServiceMonitor"),
        clear_text=any(
            entry["name"] == "FLOWER_BASIC_AUTH" and "$(" not in entry.get("value", "$(")
            for entry in first.get("env", ())
        ),
    )
