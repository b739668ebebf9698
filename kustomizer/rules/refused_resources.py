"""A worker's requests or limits that an API server refuses.

A request above the limit, or an amount that isn't one (`1GiB`), has the whole Deployment refused: `kubectl apply` goes
on with the other objects, and this worker stays as it was, or isn't there. `2G` is more than `1Gi` and less than `2Gi`.
A request for GPUs or huge pages has to be its limit. Where the pod has resources of its own, a container may have no
more. Memory of `512m` is half a byte: no container starts with that.

**Severity:** error.

**What to do:** set both in `resources` of the worker; a plugin may have set the other one
(tutor-contrib-pod-autoscaling, tutor-contrib-k8s).

What a LimitRange or a quota of the build refuses, [refused-pods](refused-pods.md) says.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.manifests.amounts import faults_beside_pods, resource_faults
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.workers import pod_template
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the requests and limits of workers that don't go together."""
    for worker in site.workers:
        container = worker.emitted.container_tree
        own, of_pod = lookup(container, "resources"), lookup(pod_template(worker.resource), "spec", "resources")
        for path, message, remedy in (*resource_faults(own, whole=True), *faults_beside_pods(own, of_pod)):
            yield worker.resource.problem(message, remedy, field=f"{worker.field}.resources.{path}")
