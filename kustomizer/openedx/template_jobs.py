"""Tutor's template Jobs: env/ holds them as what `do` and `init` make their own Jobs of; Tutor never applies them."""

from __future__ import annotations

from kustomizer.manifests.tree import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resource

_COMPONENT = "app.kubernetes.io/component"


def is_template_job(resource: Resource) -> bool:
    """Tell whether ``resource`` is one, by the label by which Tutor itself leaves it out."""
    if resource.kind != "Job" or not resource.mentions(_COMPONENT):
        return False
    return bool(
        lookup(resource.tree, "metadata", "labels", _COMPONENT) == "job"
        and lookup(resource.tree, "metadata", "labels", "app.kubernetes.io/managed-by") == "tutor"
    )
