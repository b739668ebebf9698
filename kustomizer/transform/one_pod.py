"""A Deployment of one pod beside Tutor's own: Flower, and the program that puts back what killed workers left.

Server-side apply determines its strategy: it refuses one that changes to ``Recreate`` over a running site.
"""

from __future__ import annotations

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.workers import NAME_LABEL, of_the_site, site_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FLOWER = "flower"
RESTORER = "celery-restore-orphans"


def metadata(worker: Resource, program: str, *, name: str = "") -> dict[str, Any]:
    """Return the metadata of an object of the program, labelled as Tutor labels its own."""
    found = site_metadata(worker, name=name or program)
    found["labels"][NAME_LABEL] = program
    return found


def selector(worker: Resource, program: str) -> dict[str, Any]:
    """Return the labels that select the program's pods, as Tutor selects the worker's; they can't be changed later."""
    return {**of_the_site(worker, "spec", "selector", "matchLabels"), NAME_LABEL: program}


def deployment(
    worker: Resource, program: str, pod: dict[str, Any], *, annotations: dict[str, str] | None = None
) -> Resource:
    """Return the Deployment of ``pod``, with ``annotations`` besides those that Tutor gives every pod."""
    template: dict[str, Any] = {"labels": of_the_site(worker, "spec", "template", "metadata", "labels")}
    template["labels"][NAME_LABEL] = program
    noted = {**of_the_site(worker, "spec", "template", "metadata", "annotations"), **(annotations or {})}
    if noted:
        template["annotations"] = noted
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(worker, program),
        "spec": {
            # No new pod before the old one is gone.
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "selector": {"matchLabels": selector(worker, program)},
            "template": {"metadata": template, "spec": pod},
        },
    }
    return Resource.new(tree, indent=worker.indent)
