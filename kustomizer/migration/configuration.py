"""Turns the settings of tutor-contrib-celery into a configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kustomizer.config.flower import Flower
from kustomizer.config.load import load
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import DEFAULT, deployment_name
from kustomizer.errors import UserError
from kustomizer.manifests.full_reader import read
from kustomizer.manifests.tree import plain_value
from kustomizer.migration.settings import ContribSettings
from kustomizer.overlay.templates import CONFIGURATION_HEAD_WITH_FUNCTION, SCHEMA_LINE
from kustomizer.overlay.yaml_edit import block
from kustomizer.record import Record
from kustomizer.worker_command.worker import find_worker

SECRET = {"name": "flower-basic-auth", "key": "auth"}
"""The Secret with Flower's user and password; the operator makes it."""

_HEAD = f"""\
{SCHEMA_LINE}# Made by `tutor-kustomizer migrate` from the settings of tutor-contrib-celery.
{CONFIGURATION_HEAD_WITH_FUNCTION}"""
# Our settings by the plugin's.
_SCALING = {"min_replicas": "minReplicas", "max_replicas": "maxReplicas", "list_length": "listLength"}
_SETTINGS = frozenset({"enable_keda", "extra_params", *_SCALING})

Workers = dict[str, dict[str, dict[str, Any]]]


class Migration(Record):
    """The configuration, and notes on what couldn't be migrated as it was."""

    text: str
    config: CeleryWorkers
    """What ``text`` says."""
    notes: list[str]


def migrate(
    settings: ContribSettings, workers: Workers, *, queues: Mapping[str, Collection[str]], with_hpa: Collection[str]
) -> Migration:
    """Return the configuration for ``settings`` and ``workers``, the result of the filter.

    ``queues`` are those that each service's worker consumes without the plugin; ``with_hpa`` the Deployments that a
    HorizontalPodAutoscaler targets. Raises UserError where the plugin accepted a setting that we don't.
    """
    notes: list[str] = []
    spec: dict[str, Any] = {}
    split = {
        service: variants
        for service in OPEN_EDX_SERVICES
        if (variants := _service(service, workers.get(service, {}), queues[service], with_hpa, notes))
    }
    of_split = _consumed(split)
    orphans = [queue for service in split for queue in queues[service] if queue not in of_split]
    if orphans:
        spec["unassignedQueues"] = "KeepOnDefault"
        them = "it" if len(orphans) == 1 else "them"
        notes.append(f"nobody consumed {', '.join(orphans)} with the plugin: the default worker keeps {them} here")
    spec["workers"] = split
    consumed = {*(queue for of_service in queues.values() for queue in of_service), *of_split}
    routing = {service: _routes(settings, service, consumed, notes) for service in OPEN_EDX_SERVICES}
    if any(routing.values()):
        spec["routing"] = {service: table for service, table in routing.items() if table}
    if settings.is_on("CELERY_FLOWER"):
        spec["flower"] = _flower(settings, notes)
    notes += [f"{name} isn't lms or cms: its workers aren't taken over" for name in workers if name not in queues]
    text = _HEAD + "\n".join(block("spec", spec, 0, 2)) + "\n"
    return Migration(text=text, config=load({**plain_value(read(_HEAD)), "spec": spec}), notes=notes)


def _service(
    service: str,
    variants: Mapping[str, Mapping[str, Any]],
    queues: Collection[str],
    with_hpa: Collection[str],
    notes: list[str],
) -> dict[str, dict[str, Any]]:
    split = {}
    for variant in sorted(variants, key=lambda name: name != DEFAULT):
        settings = variants[variant] or {}
        worker: dict[str, Any] = {}
        extra = _extra(service, variant, settings.get("extra_params") or ())
        if extra and variant == DEFAULT:
            notes.append(
                f"extra_params of {service}'s default worker had no effect, and are left out: {' '.join(extra)}"
            )
        elif extra:
            worker |= _options(deployment_name(service, variant), extra, notes)
        notes += [
            f"{key} of {deployment_name(service, variant)} had no effect with the plugin, and is left out"
            for key in settings
            if key not in _SETTINGS
        ]
        if settings.get("enable_keda"):
            worker["keda"] = {
                "enabled": True,
                **{
                    setting: _number(settings[contribs])
                    for contribs, setting in _SCALING.items()
                    if contribs in settings
                },
            }
            if deployment_name(service, variant) in with_hpa:
                worker["keda"]["replaceHPA"] = True
                notes.append(
                    f"{deployment_name(service, variant)} has an HPA as well: its ScaledObject takes that over"
                )
        split[variant] = worker
    copies = [variant for variant in split if variant != DEFAULT]
    if not copies and not split.get(DEFAULT):
        return {}
    if not copies:
        # Without copies the plugin leaves all queues to the default worker.
        split[DEFAULT] = {"queues": list(queues), **split[DEFAULT]}
    elif not split.get(DEFAULT):
        split.pop(DEFAULT, None)
    return split


def _extra(service: str, variant: str, extra: Any) -> list[str]:
    """Return the arguments in ``extra_params``, each as the plugin writes it."""
    if isinstance(extra, str):
        message = f"extra_params is the text {extra!r}, and the plugin made an argument of each letter"
        field = f'CELERY_WORKERS_CONFIG["{service}"]["{variant}"]'
        raise UserError.of(message, field=field, remedy=f"Write a list in your plugin: {[extra]!r}")
    return [str(word) for word in extra]


def _options(deployment: str, extra: list[str], notes: list[str]) -> dict[str, Any]:
    """Return what ``extra`` becomes: of options that are given twice the last counts, and queues have their field."""
    line = find_worker(["celery", "worker"], extra)
    if line is None or line.uneditable:
        return {"extraArgs": extra}
    worker: dict[str, Any] = {}
    if line.queues is not None:
        worker["queues"] = [queue for queue in dict.fromkeys(line.queues) if queue]
        notes.append(f"{deployment} took {', '.join(worker['queues'])}, since its extra_params say so")
        line = line.without_option("--queues")
    if line.hostname is not None:
        notes.append(f"--hostname of {deployment} is left out: here each worker is named by its own queue")
        line = line.without_option("--hostname")
    given = [setting for item in line.items for setting in item.settings]
    for option in {setting.option.name: setting.option for setting in given}.values():
        if sum(setting.option is option for setting in given) > 1:
            notes.append(f"{option.name} was given {deployment} several times: the last one counts")
            line = line.with_option(option.name, None if option.is_flag else line.option(option.name))
    return worker | ({"extraArgs": list(line.args)} if line.args else {})


def _number(value: Any) -> Any:
    """Return a number that was written as a text, of which the plugin makes the same YAML."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _consumed(split: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    return [
        queue
        for service, variants in split.items()
        for variant in {DEFAULT: {}, **variants}
        for queue in variants.get(variant, {}).get("queues") or [f"edx.{service}.core.{variant}"]
    ]


def _routes(
    settings: ContribSettings, service: str, consumed: Collection[str], notes: list[str]
) -> dict[str, dict[str, str]]:
    name = f"CELERY_{service.upper()}_EXPLICIT_QUEUES"
    table = settings.value(name) or {}
    routes = {}
    for task, route in table.items() if isinstance(table, dict) else ():
        # Celery takes a queue's name alone, too.
        queue = route.get("queue") if isinstance(route, dict) else route
        if isinstance(queue, str) and queue in consumed:
            routes[task] = {"queue": queue}
            more = sorted(str(key) for key in route if key != "queue") if isinstance(route, dict) else ()
            notes += [f"{key} of {task} in {name} is left out: a queue's name says where it goes" for key in more]
        else:
            notes.append(f"{task} of {name} is left out: nobody consumes {queue}")
    return routes


def _flower(settings: ContribSettings, notes: list[str]) -> dict[str, Any]:
    flower: dict[str, Any] = {"enabled": True}
    image = settings.value("CELERY_FLOWER_DOCKER_IMAGE")
    if image and image != Flower().image:
        flower["image"] = image
    if settings.value("CELERY_FLOWER_BASIC_AUTH", "kept") == "":
        flower["insecure"] = True
        notes.append("Flower had no password, so it has none here (insecure: true)")
    else:
        flower["basicAuth"] = {"existingSecret": dict(SECRET)}
    if settings.is_on("CELERY_FLOWER_EXPOSE_SERVICE"):
        host = settings.value("CELERY_FLOWER_HOST")
        usual = f"flower.{settings.value('LMS_HOST')}"
        flower["expose"] = {"enabled": True, **({"host": host} if host and host != usual else {})}
    if settings.is_on("CELERY_FLOWER_SERVICE_MONITOR"):
        flower["serviceMonitor"] = {"enabled": True, "interval": 30}
    return flower
