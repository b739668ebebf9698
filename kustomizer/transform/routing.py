"""Gives the routing of tasks to every pod that sends them: each pod that mounts a service's settings loads ours."""

from __future__ import annotations

from kustomizer import KIND
from kustomizer.errors import INFO, WARNING, Problem, UserError
from kustomizer.manifests.name_hashes import is_generated_name
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX, config_map, render, render_routing, settings_file
from kustomizer.openedx.settings_source import find_source
from kustomizer.openedx.settings_volume import find_volume, mount_ours, obstacle, settled
from kustomizer.openedx.workers import emitted_in, pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.settings_module import SettingsFile

ROUTER = "openedx.core.lib.celery.routers.route_task"
"""Open edX's own, which reads EXPLICIT_QUEUES."""
_IMMUTABLE = {"Job": "a Job's template is immutable", "Pod": "a Pod's volumes are immutable"}
# Objects of data, in which the name of Tutor's ConfigMap is only text.
_DATA = frozenset({"ConfigMap", "Secret", KIND})


def routing_table(config: CeleryWorkers, service: str) -> dict[str, str]:
    """Return the configured routing of ``service``: task to queue."""
    return {task: route.queue for task, route in config.spec.routing.get(service, {}).items()}


def routing_to_add(config: CeleryWorkers, file: SettingsFile, tutors: Resource | None) -> dict[str, str]:
    """Return the configured routing, empty where Tutor's own settings, ``tutors``, already end in it.

    Our Tutor plugin (kustomizer/tutor_plugin/routing.py) can render it there, as the last statements.
    """
    table = routing_table(config, file.service)
    if not table or tutors is None or not tutors.mentions("EXPLICIT_QUEUES"):
        return table
    text = str(lookup(tutors.tree, "data", file.name) or "")
    return {} if f"\n{text.rstrip()}".endswith(f"\n{render_routing(table)}") else table


def route(resources: Resources, config: CeleryWorkers) -> list[Problem]:
    """Give the routing to each pod template that mounts a routed service's settings and doesn't load ours yet.

    Returns notes about objects that are left alone, and why.
    """
    notes: list[Problem] = []
    for service in config.spec.routing:
        table = routing_table(config, service)
        if table:
            notes += _route_service(resources, config, settings_file(service, config.spec.settings.modules), table)
            notes += _other_routers(resources, config, service, table)
    return notes


def _other_routers(
    resources: Resources, config: CeleryWorkers, service: str, table: Mapping[str, str]
) -> list[Problem]:
    """Return the warning that the settings have Celery ask another router than Open edX's, which reads our routing."""
    workers = resources.find("Deployment", f"{service}-worker")
    emitted = emitted_in(service, workers[0]) if workers else None
    celery = own_settings(resources, emitted) if emitted is not None else None
    if celery is None:
        return []
    routes = celery.settings.setting("CELERY_ROUTES")
    value = getattr(routes, "value", None)
    routers = [*value] if isinstance(value, (list, tuple)) else [value]
    before = routers[: routers.index(ROUTER)] if ROUTER in routers else None
    # Celery asks one after the other, and a table answers for what is in it.
    patterns = [pattern for routes in before or () for pattern in _patterns(routes)]
    routed = [task for task in table if any(_matches(task, pattern) for pattern in patterns)]
    if before is not None and not routed:
        return []
    if isinstance(routes, Unknown) and not routes.source.line:
        # Settings that aren't in the build: nothing says that they are other than Tutor's.
        return []
    if value is None:
        reason = getattr(routes, "reason", "it is None")
        what = f"isn't known ({reason}): Celery may never ask the router that reads what spec.routing says"
    elif before is None:
        what = "has Celery ask another router than Open edX's, which reads what spec.routing says"
    else:
        what = f"says first where {', '.join(routed)} goes, whatever spec.routing says"
    problem = routes.source.problem(f"CELERY_ROUTES {what}", f"Leave CELERY_ROUTES out, or let it begin with {ROUTER}")
    return [problem.replace(severity=WARNING, resource=problem.resource or config.ref)]


def _patterns(routes: Any) -> list[str]:
    """Return the tasks' names in a table of routes, a mapping or pairs."""
    if isinstance(routes, dict):
        return [str(pattern) for pattern in routes]
    pairs = routes if isinstance(routes, (list, tuple)) else ()
    return [str(pair[0]) for pair in pairs if isinstance(pair, (list, tuple)) and pair]


def _matches(task: str, pattern: str) -> bool:
    """Tell whether Celery takes ``pattern`` for a task's name (MapRoute in celery/app/routes.py)."""
    if task == pattern or "*" not in pattern:
        return task == pattern
    from fnmatch import fnmatchcase  # noqa: PLC0415 - costs 3 ms

    return fnmatchcase(task, pattern)


def _route_service(
    resources: Resources, config: CeleryWorkers, file: SettingsFile, table: Mapping[str, str]
) -> list[Problem]:
    notes: list[Problem] = []
    name = f"{file.service}{CONFIG_MAP_SUFFIX}"
    text = render(file, routing=table, worker=None)
    readers = 0
    owners: dict[str, Resource] = {}
    # Settings under another name are known by where they are mounted.
    marks = (file.config_map, file.package_path)
    for resource in list(resources):
        if resource.kind in _DATA or not any(map(resource.mentions, marks)):
            continue
        template = pod_template(resource)
        if template is None:
            if file.config_map in resource.render():
                notes.append(_left_alone(resource, file, "its kind has no pod template that this function knows"))
            continue
        volume = find_volume(template, file)
        if volume is None:
            continue
        present_ours = volume.ours
        if present_ours is not None and not is_generated_name(str(present_ours["name"]), name):
            readers += 1  # it loads a worker's own settings, which hold the routing, too
            continue
        source = find_source(resources, file, resource.namespace, volume)
        if not routing_to_add(config, file, source.resource):
            readers += 1
            continue
        reason = _IMMUTABLE.get(resource.kind, "") or obstacle(template, volume, file, source)
        if reason:
            notes.append(_left_alone(resource, file, reason))
            continue
        readers += 1
        # One ConfigMap for all of a namespace's pods, wherever each has its settings from.
        owner = owners.setdefault(resource.namespace, source.resource or resource)
        routed_settings = config_map(name, file, text, owner=owner, annotations=config.spec.settings.annotations)
        present = settled(resources, routed_settings)
        if present_ours is None or present_ours["name"] != present.name:
            resource.edit()
            mount_ours(template, volume, file, config_map=present.name, source=source)
        if present is routed_settings:
            resources.add(routed_settings, after=owner)
    if not readers:
        message = f"no pod of this build loads its settings from {file.config_map}: the routing would have no effect"
        remedy = f"Take it out, or mount {file.config_map} as Tutor does"
        raise UserError(config.problem(message, remedy, field=f"spec.routing.{file.service}"), *notes)
    return notes


def _left_alone(resource: Resource, file: SettingsFile, reason: str) -> Problem:
    message = f"names {file.config_map} but keeps Tutor's own routing: {reason}"
    remedy = "Tasks that it sends go to the queues that Open edX's settings choose"
    return resource.problem(message, remedy, severity=INFO)
