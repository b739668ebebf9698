"""Open edX's web processes and workers that don't run the same image.

lms, cms and their workers are one code base. A task that the new code sends may not exist in an old worker (it is
then discarded), or may read the database in another shape.

**Severity:** warning.

**What to do:** change the image in Tutor (`DOCKER_IMAGE_OPENEDX`) or with kustomize's `images:`, which reach all of
them, and not in a patch of one Deployment.

**What isn't seen:** an image whose tag stays and whose content changes, so that pods started at different times
differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.workers import environment, pod_template, running
from kustomizer.site.model import Site

_MEMBER = re.compile(rf"(?:{'|'.join(OPEN_EDX_SERVICES)})(?:-worker(?:-.+)?)?")


def check(site: Site) -> Iterator[Problem]:
    """Find the Deployments whose image isn't that of lms, or else of the first one."""
    members = sorted(
        (item for item in site.resources.of_kind("Deployment") if _MEMBER.fullmatch(item.name)),
        key=lambda item: (item.namespace, item.name != "lms", item.name),
    )
    first: dict[str, tuple[Resource, str]] = {}
    for resource in members:
        for place, image in _images(resource):
            model, expected = first.setdefault(resource.namespace, (resource, image)) if image else (resource, image)
            if image != expected:
                message = f"runs {image}, and {model.name} runs {expected}: they have to be the same code"
                remedy = "Set the image for all of them, in Tutor or with kustomize's `images:`"
                field = f"spec.template.spec.{place}.image"
                yield resource.problem(message, remedy, field=field, severity=WARNING)


def _images(resource: Resource) -> list[tuple[str, str]]:
    """Return the images of the containers that read Open edX's settings, else that of the first, and their places."""
    containers = [(f"{listed}[{index}]", container) for (listed, index), container in running(pod_template(resource))]
    reading = [item for item in containers if environment(item[1], "DJANGO_SETTINGS_MODULE") is not None]
    return [(place, str(plain_value(lookup(found, "image")) or "")) for place, found in reading or containers[:1]]
