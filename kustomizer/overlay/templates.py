"""The files of a new overlay: what layers onto Tutor's output, the configuration, the guard, the name references."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kustomizer.config.worker import deployment_name
from kustomizer.errors import UserError
from kustomizer.kustomize.fields import NAMES
from kustomizer.kustomize.programs import FUNCTIONS, OWN_COMMAND
from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.writer import quote
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX
from kustomizer.system.files import write_new_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kustomizer.overlay.survey import Survey, SurveyedService

FUNCTION_ANNOTATION = FUNCTIONS[0]
"""Marks an exec function for kustomize. kubectl skips what has it, and runs what has none as a legacy plugin."""
GUARD_NAME = "the-function-has-run"
BY_KUSTOMIZE = "#   kustomize build --enable-alpha-plugins --enable-exec .\n"
BY_KUBECTL = "#   KUSTOMIZE_PLUGIN_HOME=... kubectl kustomize --enable-alpha-plugins .\n"
"""The line of the kustomization's first comment that says how to build without our command."""

_KUSTOMIZATION = """\
# Made by `tutor-kustomizer init`. Build it with `tutor-kustomizer build`, or with
{by}apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
# What `tutor config save` writes.
- {env}
# The function takes the configuration out of the output: if it is still there, the function was skipped.
- celery-workers.yaml
transformers:
- celery-workers.yaml
# Fails the build when the function was skipped, as kustomize does without a word when --enable-exec is missing.
- guard.yaml
# Lets an outer namePrefix or nameSuffix reach the names in KEDA's objects, which kustomize doesn't know.
configurations:
- name-references.yaml
patches:
# Tutor's template Jobs, which Tutor itself never applies: they would run for ever, and block the next Tutor version.
- target:
    kind: Job
    labelSelector: app.kubernetes.io/component=job
  patch: |
    $patch: delete
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: any
"""

_GUARD = """\
# Reads something that only the function makes, and changes nothing.
apiVersion: builtin
kind: ReplacementTransformer
metadata:
  name: {name}
replacements:
- source:
    kind: {kind}
    name: {made}
    fieldPath: metadata.name
  targets:
  - select:
      kind: {kind}
      name: {made}
    fieldPaths:
    - metadata.name
"""

NAME_REFERENCES = """\
nameReference:
- kind: Deployment
  fieldSpecs:
  - kind: ScaledObject
    path: spec/scaleTargetRef/name
- kind: TriggerAuthentication
  fieldSpecs:
  - kind: ScaledObject
    path: spec/triggers/authenticationRef/name
- kind: Secret
  fieldSpecs:
  - kind: TriggerAuthentication
    path: spec/secretTargetRef/name
"""

CONFIGURATION_HEAD = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata:
  name: celery-workers
"""
CONFIGURATION_HEAD_WITH_FUNCTION = f"""\
{CONFIGURATION_HEAD}  annotations:
    {FUNCTION_ANNOTATION}: |
      exec:
        path: {OWN_COMMAND}
"""
SCHEMA_FILE = "celery-workers.schema.json"
GUARD_FILE = "guard.yaml"
NAME_REFERENCES_FILE = "name-references.yaml"
SCHEMA_LINE = "# yaml-language-server: $schema=celery-workers.schema.json\n"
"""Lets an editor complete and check the configuration."""

_RECOMMENDED = """\
spec:
  # A queue that Tutor's worker consumed and that no worker would consume any longer: Error refuses the build,
  # KeepOnDefault leaves it with the default worker, Ignore leaves its tasks waiting for ever.
  unassignedQueues: Error
  defaults:
{concurrency}    keda:
      # Set to true where KEDA is installed: each worker then scales on its queue and on what it is working on.
      enabled: false
  # One worker Deployment for each queue. `default` is the one that Tutor emits; it needn't be named.
  workers:
"""

_CONCURRENCY = """\
    # Tasks that a pod works on at a time. Celery would take the node's number of CPUs.
    concurrency: 4
"""

_MODULES = """\
  settings:
    # What the worker's DJANGO_SETTINGS_MODULE names, and Tutor's doesn't: ours takes its place, and runs it.
    modules:
"""

_NOTES = {
    ("lms", "high_mem"): "Reports are few, long and hungry: one at a time, in a pod that may take an hour to stop.",
    ("lms", "high"): "Bulk e-mail and what else is urgent.",
    ("cms", "low"): "What may wait.",
}
_SETTINGS = {
    ("lms", "high_mem"): ["concurrency: 1", "keda: {inFlight: Slots, listLength: 1, maxReplicas: 5}"],
    ("lms", "default"): ["keda: {minReplicas: 1}"],
    ("cms", "default"): ["keda: {minReplicas: 1}"],
}


def overlay_files(env: str, survey: Survey, *, kubectl: bool = False) -> Mapping[str, str]:
    """Return the files of an overlay over ``env`` (a path relative to it), by name; ``survey`` says what is split.

    One for ``kubectl`` calls the function as a legacy plugin.
    """
    services = [service for service in survey.services if service.variants]
    return {
        "kustomization.yaml": _KUSTOMIZATION.format(env=quote(env), by=BY_KUBECTL if kubectl else BY_KUSTOMIZE),
        "celery-workers.yaml": configuration_text(survey, with_function=not kubectl),
        SCHEMA_FILE: schema_text(),
        GUARD_FILE: _guard(services),
        NAME_REFERENCES_FILE: NAME_REFERENCES,
    }


def configuration_text(survey: Survey, *, with_function: bool = False) -> str:
    """Return the recommended configuration for the services that ``survey`` says are split."""
    services = [service for service in survey.services if service.variants]
    head = CONFIGURATION_HEAD_WITH_FUNCTION if with_function else CONFIGURATION_HEAD
    # What Tutor's workers have stays, in their copies as well.
    concurrency = "" if any(service.concurrency for service in services) else _CONCURRENCY
    workers = (line + "\n" for service in services for line in _workers(service, states_own=not concurrency))
    modules = [f"      {service.name}: {quote(service.module)}\n" for service in services if service.module]
    settings = _MODULES + "".join(modules) if modules else ""
    return SCHEMA_LINE + head + _RECOMMENDED.format(concurrency=concurrency) + "".join(workers) + settings


def schema_text() -> str:
    """Return the file with the configuration's JSON Schema."""
    from kustomizer.config.json_schema import json_schema  # noqa: PLC0415 - a split needs the other texts alone

    return json.dumps(json_schema(), indent=2) + "\n"


def settings_guard(service: str) -> str:
    """Return the guard, which fails a build that doesn't hold the settings that the function makes for ``service``."""
    return _GUARD.format(name=GUARD_NAME, kind="ConfigMap", made=f"{service}-worker{CONFIG_MAP_SUFFIX}")


def copy_guard(service: str, variant: str) -> str:
    """Return the guard that looks for a copy, where workers mount no settings that ours can be put beside."""
    return _GUARD.format(name=GUARD_NAME, kind="Deployment", made=deployment_name(service, variant))


def _guard(services: list[SurveyedService]) -> str:
    mounting = [service.name for service in services if service.mounts_settings]
    return settings_guard(mounting[0]) if mounting else copy_guard(services[0].name, services[0].variants[0])


def _workers(service: SurveyedService, *, states_own: bool) -> list[str]:
    """Return the lines of a service; ``states_own`` says that each worker, and no default, states its concurrency."""
    lines = [f"    {service.name}:"]
    for variant in ("default", *service.variants):
        note = _NOTES.get((service.name, variant))
        if note:
            lines.append(f"      # {note}")
        settings = [
            _for_concurrency(line, service.concurrency)
            for line in _SETTINGS.get((service.name, variant), ())
            if not (service.concurrency and line.startswith("concurrency:"))
        ]
        if states_own and not service.concurrency and not any(line.startswith("concurrency:") for line in settings):
            settings.append("concurrency: 4")
        if service.kept and variant == "default":
            settings.append(f"queues: [{', '.join(map(quote, service.kept))}]")
        lines.append(f"      {variant}:" if settings else f"      {variant}: {{}}")
        lines += [f"        {line}" for line in settings]
    return lines


def _for_concurrency(line: str, concurrency: str) -> str:
    """Return a line for a worker that already has this ``concurrency``: only a number of slots can be counted."""
    slots = whole_number(concurrency.partition(",")[0])
    if slots:
        return line.replace("listLength: 1,", f"listLength: {slots},")
    return line.replace("inFlight: Slots, ", "") if concurrency else line


def write_overlay(directory: Path, env: Path, texts: Mapping[str, str], *, force: bool) -> list[Path]:
    """Write the files of an overlay over ``env`` and return them. Raises UserError, and writes nothing, where it can't.

    Without ``force`` no file is overwritten.
    """
    if directory.resolve().is_relative_to(env.resolve()):
        message = f"{directory} lies in {env}, which Tutor writes and which the overlay is to layer onto"
        raise UserError.of(message, remedy="Name a directory outside of it")
    for name in NAMES:
        if name not in texts and (directory / name).exists():
            message = f"{directory / name} is there already, and kustomize takes one kustomization per directory"
            raise UserError.of(message, remedy="Name another directory, or remove it")
    return write_new_files(directory, texts, force=force)
