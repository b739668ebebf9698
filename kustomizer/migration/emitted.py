"""What tutor-contrib-celery emitted into a site, told apart from what Tutor and other plugins did."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from kustomizer.migration.facts import FLOWER_SITE, container, named
from kustomizer.worker_command.worker import find_worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Documents = Sequence[dict[str, Any]]

_COPY = re.compile(r"(lms|cms)-worker-(.+)")


def is_in(env: Path) -> bool:
    """Tell whether ``env`` was rendered with the plugin on."""
    return "plugins/celery/" in (env / "kustomization.yml").read_text(encoding="utf-8")


def without_plugin(documents: Documents) -> list[dict[str, Any]]:
    """Return ``documents`` as they would be without the plugin, as far as Celery goes.

    The routing stays in Open edX's settings: ours says the same on top of it.
    """
    return [_restored(item) for item in copy.deepcopy(list(documents)) if not _is_plugins(item)]


def workers_config(documents: Documents) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what CELERY_WORKERS_CONFIG must have been for the plugin to emit ``documents``."""
    found: dict[str, dict[str, dict[str, Any]]] = {"lms": {"default": {}}, "cms": {"default": {}}}
    by_deployment = {"lms-worker": found["lms"]["default"], "cms-worker": found["cms"]["default"]}
    for name, deployment in named(documents, "Deployment").items():
        copied = _COPY.fullmatch(name)
        args = [str(arg) for arg in container(deployment).get("args") or ()]
        places = [index for index, arg in enumerate(args) if arg.startswith("--queues=")]
        if copied is None or not places or not _is_plugins(deployment):
            continue
        queue = args[places[-1]].partition("=")[2]
        variant = queue.removeprefix(f"edx.{copied[1]}.core.")
        by_deployment[name] = found[copied[1]][variant] = {"extra_params": args[places[-1] + 1 :]}
    for item in named(documents, "ScaledObject").values():
        spec = item["spec"]
        worker = by_deployment.get(spec["scaleTargetRef"]["name"])
        if worker is not None:
            worker["enable_keda"] = True
            worker["min_replicas"], worker["max_replicas"] = spec["minReplicaCount"], spec["maxReplicaCount"]
            worker["list_length"] = int(spec["triggers"][0]["metadata"]["listLength"])
    return found


def _is_plugins(item: dict[str, Any]) -> bool:
    name = str(item["metadata"]["name"])
    if item["kind"] == "Deployment" and _COPY.fullmatch(name):
        first = container(item)
        return find_worker(first.get("command"), first.get("args")) is not None
    if item["kind"] == "ScaledObject":
        return re.fullmatch(r"(lms|cms)-worker(-.+)?", item["spec"]["scaleTargetRef"]["name"]) is not None
    return name == "flower" and item["kind"] in {"Deployment", "Service", "ServiceMonitor"}


def _restored(item: dict[str, Any]) -> dict[str, Any]:
    name = str(item["metadata"]["name"])
    if item["kind"] == "Deployment" and name in {"lms-worker", "cms-worker"}:
        args = container(item).get("args") or []
        queues = [index for index, arg in enumerate(args) if str(arg).startswith("--queues=")]
        # The plugin adds its own behind Tutor's: the last one counts.
        if len(queues) > 1:
            del args[queues[-1]]
    elif item["kind"] == "ConfigMap" and "Caddyfile" in (item.get("data") or {}):
        item["data"]["Caddyfile"] = FLOWER_SITE.sub("", item["data"]["Caddyfile"])
    return item
