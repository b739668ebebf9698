"""A password in clear text: in the environment, in arguments, in a trigger, in a ConfigMap.

Whoever may read Deployments or ConfigMaps reads it, and so does whoever sees the build: in a repository, in CI's
output, in `kubectl describe`. The finding says the name of what holds it, and never the password itself.

**Severity**, by who can mend it:

- error in Flower and in KEDA's objects: the function puts the same into a Secret;
- warning in lms, cms and their workers: Tutor writes none there, so that a plugin's or an overlay's patch did, and
  each copy of the worker has it as well;
- info everywhere else. Tutor itself writes passwords into `openedx-config`, into settings and into the environment of
  MySQL and others, and nothing but Tutor can change that: treat the build as a secret, and give nobody `get` on
  ConfigMaps who needn't have it. Several of these are one line, as text and as an annotation.

**What to do:** use a Secret and `valueFrom.secretKeyRef`; for Flower `spec.flower.basicAuth.existingSecret`.

**What isn't seen:** passwords under names that don't say so. Secrets aren't looked at: that is where they belong,
though not in a repository, unencrypted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import command_words, lookup, mapping, mappings
from kustomizer.masking import detection
from kustomizer.openedx.celery_programs import is_flower
from kustomizer.openedx.workers import pod_field, pod_template
from kustomizer.site.model import Site

_OPEN_EDX = re.compile(r"(?:lms|cms)(?:-worker(?:-.+)?)?")
_SHOWN = 5
_INTO_A_SECRET = "Put it into a Secret, and refer to that with valueFrom.secretKeyRef"
_TUTORS = "Tutor and its plugins write passwords in clear text: treat the build, and who may read it, as you would a "
_TUTORS += "Secret"


def check(site: Site) -> Iterator[Problem]:
    """Find what holds a password in clear text."""
    for resource in site.resources:
        yield from check_resource(site, resource)


def check_resource(_site: Site, resource: Resource) -> Iterator[Problem]:
    """Find what holds a password in one object."""
    if resource.kind == "ConfigMap":
        yield from _config_map(resource)
    elif resource.kind in {"ScaledObject", "ScaledJob"}:
        yield from _triggers(resource)
    else:
        yield from _pods(resource, pod_template(resource))


def _pods(resource: Resource, template: Any) -> Iterator[Problem]:
    severity, remedy = INFO, _TUTORS
    if resource.kind != "Job" and _OPEN_EDX.fullmatch(resource.name):
        severity, remedy = WARNING, _INTO_A_SECRET
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(mappings(lookup(template, "spec", kind))):
            own, advice = (ERROR, _INTO_A_SECRET) if is_flower(container) else (severity, remedy)
            path = f"{pod_field(resource)}.{kind}[{index}]"
            variables = list(_variables(container))
            if variables:
                yield _problem(resource, f"{path}.env", variables, own, advice)
            arguments = detection.in_words(command_words(container))
            if arguments:
                yield _problem(resource, f"{path}.args", arguments, own, advice)


def _variables(container: Any) -> Iterator[str]:
    for entry in mappings(lookup(container, "env")):
        name = str(entry.get("name"))
        if detection.is_secret_setting(name, str(entry.get("value") or "")):
            yield name


def _triggers(resource: Resource) -> Iterator[Problem]:
    for index, trigger in enumerate(mappings(lookup(resource.tree, "spec", "triggers"))):
        metadata = {str(name): str(value) for name, value in mapping(trigger.get("metadata")).items()}
        named = [name for name, value in metadata.items() if detection.is_secret_setting(name.upper(), value)]
        if named:
            remedy = "Put it into a Secret, and refer to that with a TriggerAuthentication"
            yield _problem(resource, f"spec.triggers[{index}].metadata", named, ERROR, remedy)


def _config_map(resource: Resource) -> Iterator[Problem]:
    names = []
    for file, text in mapping(lookup(resource.tree, "data")).items():
        if detection.is_secret_name(str(file)) and detection.is_secret_value(str(text)):
            names.append(str(file))
        names += detection.in_file(str(file), str(text))
    if names:
        yield _problem(resource, "data", list(dict.fromkeys(names)), INFO, _TUTORS)


def _problem(resource: Resource, field: str, names: list[str], severity: str, remedy: str) -> Problem:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    message = f"holds passwords in clear text: {shown}{more}"
    return resource.problem(message, remedy, field=field, severity=severity)
