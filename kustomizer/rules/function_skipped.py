"""Signs that the function did not run, so that one worker takes all queues.

kustomize and kubectl skip a function without a word, and with exit status 0: kustomize when `--enable-exec` is
missing, kubectl always, for a function of this form
([kubernetes-sigs/kustomize#4399](https://github.com/kubernetes-sigs/kustomize/issues/4399)). The signs:

- a CeleryWorkers object in the output, which the function takes out. `kubectl apply` refuses that one object and
  applies all the rest, and the workers go back to all queues: **error**;
- a Deployment with `minReadySeconds: -1`, which an overlay sets so that a build without the function can't be
  applied: **error**;
- a worker of lms or cms that takes all queues of its service: **warning** where no service is split, **info** where
  the other one is, since that may be meant. Tutor's own build has this one.

**What to do:** build with `tutor-kustomizer build`, or with `kustomize build --enable-alpha-plugins --enable-exec`;
with kubectl list `generators/legacy` under `transformers:`. To split the service add it to `spec.workers`.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer import KIND, is_configuration
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import INFO, WARNING, Problem
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.stopped import stopped_by
from kustomizer.site.model import Site, SiteWorker

_REMEDY = "Build with `tutor-kustomizer build`, or give kustomize --enable-alpha-plugins --enable-exec"


def check(site: Site) -> Iterator[Problem]:
    """Find what a build without the function leaves behind."""
    for resource in site.resources.of_kind(KIND):
        if is_configuration(resource.api_version, resource.kind):
            yield resource.problem("is in the output: the function, which takes it out, did not run", _REMEDY)
    for resource in site.resources.of_kind("Deployment"):
        stated = resource.mentions("minReadySeconds")
        seconds = plain_value(lookup(resource.tree, "spec", "minReadySeconds")) if stated else None
        if isinstance(seconds, int) and seconds < 0:
            message = f"is {seconds}, which the function takes off: it did not run, and no cluster takes this"
            yield resource.problem(message, _REMEDY, field="spec.minReadySeconds")
    yield from _unsplit(site)


def _unsplit(site: Site) -> Iterator[Problem]:
    taking_all = [
        worker
        for worker in site.open_edx_workers
        if set(site.open_edx_queues(worker.resource.namespace, worker.service)) <= set(worker.queues)
        and stopped_by(site.resources, worker.resource) is None
    ]
    services = {worker.service for worker in taking_all}
    others_split = any(worker.service not in services for worker in site.open_edx_workers)
    for worker in taking_all:
        message = f"takes all queues of {worker.service}: long tasks hold up short ones"
        remedy, severity = f"Where the configuration splits it, the function did not run. {_REMEDY}", WARNING
        if others_split:
            other_service = next(service for service in OPEN_EDX_SERVICES if service != worker.service)
            message += f"; {other_service} is split"
            remedy, severity = _split_remedy(worker), INFO
        yield worker.resource.problem(message, remedy, field=f"{worker.field}.args", severity=severity)


def _split_remedy(worker: SiteWorker) -> str:
    emitted = f"{worker.service}-worker"
    obstacle = worker.obstacle or ("" if worker.resource.name == emitted else f"only a Deployment {emitted} can be")
    return f"It can't be split: {obstacle}" if obstacle else f"Split it in spec.workers.{worker.service}"
