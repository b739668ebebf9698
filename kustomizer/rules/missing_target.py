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

from kustomizer.errors import Problem
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import Site, autoscalers


def check(site: Site) -> Iterator[Problem]:
    """Find the autoscalers without a target."""
    for resource in autoscalers(site):
        kind, name = scale_target(resource)
        if kind in {"Deployment", "StatefulSet"} and not site.resources.find(kind, name, resource.namespace):
            namespace = resource.namespace
            where = f"namespace {namespace} of this build" if namespace else "this build without a namespace"
            message = f"scales {kind} {name}, which isn't in {where}"
            remedy = "Name a worker that is there, or take the autoscaler out"
            elsewhere = [namesake.namespace for namesake in site.resources.find(kind, name)]
            if elsewhere:
                named = ", ".join(sorted(filter(None, elsewhere)))
                message += f"; there is one in {f'namespace {named}' if named else 'no namespace'}"
                remedy = "Give both the same namespace"
            yield resource.problem(message, remedy, field="spec.scaleTargetRef.name")
