"""An init container that never ends.

A pod starts its containers when each init container before them has ended. One that runs `celery beat`,
`celery worker`, `celery events` or Flower goes on for ever, and the pod stays in `Init:0/1`: the worker beside it takes
no task, and nothing fails.

**Severity:** error.

**What to do:** set `restartPolicy: Always` on that init container, which makes a sidecar of it (Kubernetes 1.29 and
newer), or move it to the pod's `containers`. `spec.scheduler` gives a scheduler a Deployment of its own.

**What isn't seen:** what an image or a script runs by itself. One that is started in the background, or with `timeout`,
ends.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.openedx.celery_programs import AS_SIDECAR, endless, never_ends
from kustomizer.openedx.workers import pod_field, pod_template
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the workloads whose pods never start."""
    for resource in site.resources:
        if not resource.mentions("initContainers"):
            continue
        for (listed, index), program in endless(pod_template(resource)):
            field = f"{pod_field(resource)}.{listed}[{index}]"
            yield resource.problem(never_ends(program, resource.name), AS_SIDECAR, field=field)
