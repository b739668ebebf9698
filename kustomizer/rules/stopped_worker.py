"""A worker that is kept without pods, and alone takes a queue.

Tasks on that queue wait until somebody gives the worker pods. What keeps it at zero:

- `autoscaling.keda.sh/paused-replicas: "0"` on its ScaledObject (`keda.pausedReplicas: 0` in the configuration);
- `autoscaling.keda.sh/paused-scale-out` on one whose least number of pods is 0: KEDA takes the last pod, and starts
  none;
- `replicas: 0`, where no ScaledObject scales it. A HorizontalPodAutoscaler leaves what has no pods alone.

**Severity:** error for a queue that Open edX sends to, or that settings route tasks to; warning for another queue of
lms or cms, and where the configuration paused it.

**What to do:** take the annotation or the number out, or give the queue to a worker that runs. While the worker is
meant to stand still, set the finding aside ([ignoring.md](../ignoring.md)).

**What isn't seen:** a number that somebody sets in the cluster, and autoscalers that another build deploys.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.openedx.stopped import stopped_by
from kustomizer.site.counted_lists import is_ours
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the workers without pods that nobody stands in for."""
    sent_to = {(route.namespace, route.queue) for route in site.routes}
    for resource in site.resources.of_kind("Deployment"):
        sent_to |= {(resource.namespace, queue) for queue in site.open_edx_queues(resource.namespace, resource.name)}
    stopped = {worker.resource.identity: stopped_by(site.resources, worker.resource) for worker in site.workers}
    taken_queues = {
        (worker.resource.namespace, queue)
        for worker in site.workers
        if stopped[worker.resource.identity] is None
        for queue in worker.queues
    }
    for worker in site.workers:
        by = stopped[worker.resource.identity]
        namespace = worker.resource.namespace
        waiting = [queue for queue in worker.queues if (namespace, queue) not in taken_queues]
        is_known = any((namespace, queue) in sent_to for queue in waiting)
        if by is None or not waiting or not (is_known or worker.is_open_edx):
            continue
        is_meant = by.resource.kind == "ScaledObject" and is_ours(by.resource)
        what = f"tasks on {', '.join(waiting)}, which {worker.resource.name} alone takes, wait for ever"
        remedy = "Take it out, or give the queue to a worker that runs"
        yield by.problem(what, remedy, severity=ERROR if is_known and not is_meant else WARNING)
