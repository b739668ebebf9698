"""An autoscaler whose target isn't in the build.

It scales nothing, its ScaledObject never becomes ready, and the worker that it was meant for keeps the pods that it
has. A `namePrefix` or `nameSuffix` of an outer kustomization does this, since kustomize doesn't know KEDA's objects,
and so does a worker that was renamed or removed.

**Severity:** error for a Deployment or StatefulSet; other kinds aren't looked for.

**What to do:** take the autoscaler out with its worker. Where names are prefixed use this repository's `base/`, whose
`name-references.yaml` teaches kustomize these names.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import ERROR, Problem
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import Site, autoscalers


def check(site: Site) -> Iterator[Problem]:
    """Find the autoscalers without a target."""
    for resource in autoscalers(site):
        kind, name = scale_target(resource)
        if kind in {"Deployment", "StatefulSet"} and not site.resources.find(kind, name, resource.namespace):
            elsewhere = [namesake.namespace for namesake in site.resources.find(kind, name)]
            named = ", ".join(sorted(filter(None, elsewhere)))
            there = (
                f"; there is one in namespace {named}" if named else "; there is one in no namespace" * bool(elsewhere)
            )
            where = (
                f"namespace {resource.namespace} of this build"
                if resource.namespace
                else "this build without a namespace"
            )
            yield Problem(
                message=f"scales {kind} {name}, which isn't in {where}{there}",
                severity=ERROR,
                resource=resource.ref,
                field="spec.scaleTargetRef.name",
                remedy="Give both the same namespace"
                if elsewhere
                else "Name a worker that is there, or take the autoscaler out",
            )
