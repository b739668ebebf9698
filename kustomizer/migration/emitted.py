"""Tells what tutor-contrib-celery emitted into a site from what Tutor and other plugins emitted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.migration.facts import CADDY_BLOCK, WORKER_NAME, container
from kustomizer.openedx.targeting import scale_target
from kustomizer.worker_command.worker import find_worker

_COPY = re.compile(r"(lms|cms)-worker-(.+)")


def is_in(env: Path) -> bool:
    """Tell whether ``env`` was rendered with the plugin on."""
    return "plugins/celery/" in (env / "kustomization.yml").read_text(encoding="utf-8")


def own_workers(resources: Resources) -> list[str]:
    """Return the names of the workers that the plugin adds to Tutor's."""
    return [
        item.name for item in resources.of_kind("Deployment") if _COPY.fullmatch(item.name) and _is_from_plugin(item)
    ]


def without_plugin(resources: Resources) -> Resources:
    """Return ``resources``, changed to what they would be for Celery without the plugin.

    The plugin's routing stays in Open edX's settings: ours says the same on top of it.
    """
    kept = [item for item in resources if not _is_from_plugin(item)]
    for item in kept:
        _restore(item)
    return Resources(kept)


def workers_config(resources: Resources) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the CELERY_WORKERS_CONFIG for which the plugin emits ``resources``."""
    workers: dict[str, dict[str, dict[str, Any]]] = {"lms": {"default": {}}, "cms": {"default": {}}}
    by_deployment = {f"{service}-worker": workers[service]["default"] for service in workers}
    for deployment in resources.of_kind("Deployment"):
        copy = _COPY.fullmatch(deployment.name)
        args = [str(arg) for arg in container(deployment).get("args") or ()]
        places = [index for index, arg in enumerate(args) if arg.startswith("--queues=")]
        if copy is None or not places or not _is_from_plugin(deployment):
            continue
        # What stands behind the plugin's own is the site's.
        queue = args[places[0]].partition("=")[2]
        variant = queue.removeprefix(f"edx.{copy[1]}.core.")
        by_deployment[deployment.name] = workers[copy[1]][variant] = {"extra_params": args[places[0] + 1 :]}
    for scaled_object in resources.of_kind("ScaledObject"):
        worker = by_deployment.get(scale_target(scaled_object)[1])
        if worker is not None:
            spec = mapping(lookup(scaled_object.tree, "spec"))
            trigger = mappings(spec.get("triggers"))[0]
            worker["enable_keda"] = True
            worker["min_replicas"], worker["max_replicas"] = spec["minReplicaCount"], spec["maxReplicaCount"]
            worker["list_length"] = int(trigger["metadata"]["listLength"])
    return workers


def _is_from_plugin(item: Resource) -> bool:
    if item.kind == "Deployment" and _COPY.fullmatch(item.name):
        command = container(item)
        return find_worker(command.get("command"), command.get("args")) is not None
    if item.kind == "ScaledObject":
        return WORKER_NAME.match(scale_target(item)[1]) is not None
    return item.name == "flower" and item.kind in {"Deployment", "Service", "ServiceMonitor"}


def _restore(item: Resource) -> None:
    """Take out what the plugin added to an object of Tutor's."""
    if item.kind == "Deployment" and item.name in {"lms-worker", "cms-worker"}:
        args = container(item).get("args") or []
        places = [index for index, arg in enumerate(args) if str(arg).startswith("--queues=")]
        # The plugin adds an option of its own behind Tutor's, and the last one counts.
        if len(places) > 1:
            del item.edit()["spec"]["template"]["spec"]["containers"][0]["args"][places[-1]]
    elif item.kind == "ConfigMap" and item.mentions("flower:5555"):
        caddyfile = mapping(lookup(item.tree, "data")).get("Caddyfile")
        if isinstance(caddyfile, str) and CADDY_BLOCK.search(caddyfile):
            item.edit()["data"]["Caddyfile"] = CADDY_BLOCK.sub("", caddyfile)
