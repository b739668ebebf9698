"""Splits a service's worker: restricts Tutor's, adds the copies, and gives each the settings that a split needs."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.record import Record
from kustomizer.resources import Resource, same_object
from kustomizer.routing import routing_table
from kustomizer.settings import CelerySettings, config_map, render, settings_file
from kustomizer.settings_volume import find_volume, mount_ours, obstacle, tutors_config_map
from kustomizer.targeting import copy_for, leaves_out, left_out, targeting
from kustomizer.tree import clone
from kustomizer.tutor import OPEN_EDX_SERVICES, emitted_in, pod_template
from kustomizer.workers import configure, copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.config import CeleryWorkers
    from kustomizer.plan import ServicePlan, Variant
    from kustomizer.resources import Resources
    from kustomizer.settings import SettingsFile
    from kustomizer.tutor import EmittedWorker


class _Settings(Record):
    """Tutor's settings file and ConfigMap of a service whose workers load ours."""

    file: SettingsFile
    tutors: Resource | None


def split(resources: Resources, config: CeleryWorkers, plan: ServicePlan) -> list[Problem]:
    """Carry ``plan`` out on ``resources``. Returns warnings; raises UserError for what can't be done."""
    emitted = plan.emitted
    settings, notes = _settings(resources, config, plan)
    copies = []
    for variant in plan.variants[1:]:
        new = copy(emitted, variant)
        present = resources.get(new.identity)
        if present is not None:
            _check_settled(present, emitted, variant, settings)
        else:
            _mount(new.edit(), variant, settings)
        copies.append(present or new)
    default = plan.variants[0]
    configure(emitted.resource.edit(), emitted, default)
    _mount(emitted.resource.edit(), default, settings)
    for variant, resource in zip(plan.variants, (emitted.resource, *copies), strict=True):
        if resource is not emitted.resource and resources.get(resource.identity) is None:
            resources.add(resource, after=emitted.resource)
        if settings is not None:
            resources.add(_config_map(config, variant, settings, owner=resource), after=emitted.resource)
    return [*notes, *_follow(resources, config, emitted.resource, copies)]


def _settings(resources: Resources, config: CeleryWorkers, plan: ServicePlan) -> tuple[_Settings | None, list[Problem]]:
    emitted = plan.emitted
    if emitted.service not in OPEN_EDX_SERVICES:
        return None, []
    file = settings_file(emitted.service, config.spec.settings.modules)
    template = pod_template(emitted.resource) or {}
    volume = find_volume(template, file)
    if volume is None:
        return None, _without_settings(config, plan, file)
    tutors = tutors_config_map(resources, file, emitted.resource.namespace)
    reason = obstacle(template, volume, file, tutors)
    if reason:
        raise UserError(
            Problem(
                message=f"the worker can't load the settings that a split needs: {reason}",
                resource=emitted.resource.ref,
                field="spec.template.spec",
                remedy=f"Name the settings module that it loads in spec.settings.modules.{emitted.service}, "
                f"or leave {emitted.service} out of spec.workers",
            )
        )
    return _Settings(file=file, tutors=tutors), []


def _without_settings(config: CeleryWorkers, plan: ServicePlan, file: SettingsFile) -> list[Problem]:
    """Warn that the workers get no settings of ours; raises UserError where the configuration needs some."""
    message = f"mounts no {file.config_map}-* that ours could take the place of"
    needs = [
        f"{variant.path}.visibilityTimeout" for variant in plan.variants if _own_visibility_timeout(config, variant)
    ]
    if needs:
        raise UserError(
            *(
                Problem(
                    message=f"needs settings, but the worker {message}",
                    resource=plan.emitted.resource.ref,
                    field=field,
                    remedy=f"Mount {file.config_map} in the worker, or leave the field out",
                )
                for field in needs
            )
        )
    return [
        Problem(
            message=f"{message}: its workers acknowledge tasks early, and one that is killed loses its tasks",
            severity=WARNING,
            resource=plan.emitted.resource.ref,
            remedy=f"Mount {file.config_map} in the worker as Tutor does",
        )
    ]


def _own_visibility_timeout(config: CeleryWorkers, variant: Variant) -> bool:
    """Tell whether the configuration, and not only this program, asks for a visibility timeout."""
    own = config.spec.workers[variant.service].get(variant.name)
    return bool(own and own.visibility_timeout) or bool(config.spec.defaults.visibility_timeout)


def _mount(tree: dict[str, Any], variant: Variant, settings: _Settings | None) -> None:
    if settings is None:
        return
    template = tree["spec"]["template"]
    volume = find_volume(template, settings.file)
    if volume is not None:
        name = _config_map_name(variant)
        mount_ours(template, volume, settings.file, config_map=name, tutors=settings.tutors)


def _config_map_name(variant: Variant) -> str:
    return f"{variant.deployment}-celery-settings"


def _config_map(config: CeleryWorkers, variant: Variant, settings: _Settings, *, owner: Resource) -> Resource:
    worker = CelerySettings(
        unacked_suffix=variant.unacked_suffix,
        visibility_timeout=variant.settings.visibility_timeout,
        reject_on_worker_lost=config.spec.celery.reject_on_worker_lost,
        soft_shutdown_timeout=config.spec.celery.soft_shutdown_timeout,
    )
    text = render(settings.file, routing=routing_table(config, variant.service), worker=worker)
    annotations = config.spec.settings.annotations
    return config_map(_config_map_name(variant), settings.file, text, owner=owner, annotations=annotations)


def _check_settled(present: Resource, emitted: EmittedWorker, variant: Variant, settings: _Settings | None) -> None:
    """Raise UserError unless ``present`` is what an earlier run over this output made, on which this one has no effect.

    It can't be compared with a new copy: Tutor's own worker has been restricted since.
    """
    candidate = Resource.new(clone(present.tree), indent=present.indent)
    worker = emitted_in(variant.service, candidate)
    if worker is not None:
        configure(candidate.edit(), worker, variant)
        _mount(candidate.edit(), variant, settings)
    if worker is None or not same_object(candidate.tree, present.tree):
        raise UserError(
            Problem(
                message=f"the build already has this Deployment, and it isn't the copy that {variant.path} asks for",
                resource=present.ref,
                field="metadata.name",
                remedy="Turn off the plugin that emits it (tutor-contrib-celery does: `tutor plugins disable celery`), "
                f"or give the worker another name than {variant.name}",
            )
        )


def _follow(resources: Resources, config: CeleryWorkers, worker: Resource, copies: Sequence[Resource]) -> list[Problem]:
    """Copy what targets the worker for its copies where the configuration asks for it; return warnings for the rest."""
    copied = frozenset(config.spec.copy_targeting)
    notes: list[Problem] = []
    for resource in targeting(resources, worker):
        missed = [copy for copy in copies if leaves_out(resource, worker, copy)]
        if resource.kind in copied:
            for missing in missed:
                resources.add(copy_for(resource, worker, missing), after=resource)
        elif missed:
            notes.append(left_out(resource, [copy.name for copy in missed], worker))
    return notes
