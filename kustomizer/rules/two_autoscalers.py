"""Two autoscalers that target one Deployment.

Each sets the number of pods that it wants, and undoes the other's. tutor-contrib-pod-autoscaling emits a
HorizontalPodAutoscaler for `lms-worker` and `cms-worker`; beside a ScaledObject of KEDA's for the same worker that
makes two, and KEDA's webhook refuses the second one, so that it never scales.

**Severity:** error.

**What to do:** leave one of the two out: `keda.replaceHPA: true` lets the ScaledObject take the
HorizontalPodAutoscaler over and takes it out of the build; or turn it off in the plugin that emits it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import Site, autoscalers


def check(site: Site) -> Iterator[Problem]:
    """Find the targets of more than one autoscaler."""
    first: dict[tuple[str, str, str], Resource] = {}
    for resource in autoscalers(site):
        key = (resource.namespace, *scale_target(resource))
        rival = first.setdefault(key, resource)
        if rival is not resource:
            message = f"scales {key[2]}, which {rival.kind} {rival.name} scales, too: they undo each other's work"
            remedy = "Leave one of the two out of the build; keda.replaceHPA: true takes a HorizontalPodAutoscaler over"
            yield resource.problem(message, remedy, field="spec.scaleTargetRef")
