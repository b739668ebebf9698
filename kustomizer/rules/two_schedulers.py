"""Two schedulers (beat) of one application.

Each sends every periodic task: what is due once an hour runs twice an hour. It happens when a worker keeps `--beat`
beside a scheduler that got a Deployment of its own, when a Deployment with a scheduler has several pods, and when an
autoscaler gives it some.

**Severity:** warning: two may have schedules of their own.

**What to do:** let one of them run. `spec.scheduler.enabled: true` takes `--beat` out of the worker, and gives the
scheduler a Deployment that never has two pods.

Not every version of Celery's command heeds `CELERY_WORKER_BEAT`: a worker with this variable may run a scheduler.

**What isn't seen:** which tasks each has in its schedule. RedBeat's schedulers take turns among themselves; what is
kept without pods runs none.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import number_at
from kustomizer.openedx.celery_programs import app_name, runs_beat, takes_turns
from kustomizer.openedx.stopped import stopped_by
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import environment, may_run_worker, pod_field, pod_template, running, worker_line
from kustomizer.site.model import Site, autoscalers


def check(site: Site) -> Iterator[Problem]:
    """Find the applications with more than one scheduler."""
    scaled = {(item.namespace, *scale_target(item)): item for item in autoscalers(site)}
    first: dict[tuple[str, str], tuple[Resource, bool]] = {}
    for resource, field, application, is_sure, waits in _schedulers(site):
        runs = f"runs a scheduler (beat) of {application}"
        if not is_sure:
            runs = f"may run a scheduler (beat) of {application} (not every version of Celery heeds CELERY_WORKER_BEAT)"
        rival, rival_waits = first.setdefault((resource.namespace, application), (resource, waits))
        scaler = scaled.get((resource.namespace, resource.kind, resource.name))
        pods = number_at(resource.tree, "spec", "replicas") or 1
        if rival is not resource and not (waits and rival_waits):
            yield _problem(resource, field, f"{runs}, and so does {rival.ref}")
        elif waits:
            continue
        elif resource.kind == "DaemonSet":
            yield _problem(resource, field, f"{runs} on each node")
        elif scaler is not None:
            yield _problem(resource, field, f"{runs}, and {scaler.ref} gives it any number of pods")
        elif pods > 1:
            yield _problem(resource, field, f"{runs} in each of {pods} pods")


def _schedulers(site: Site) -> Iterator[tuple[Resource, str, str, bool, bool]]:
    """Yield what runs a scheduler: path, application, whether that is sure, and whether it waits for its like."""
    workers = {(worker.resource.identity, worker.field): worker.celery for worker in site.open_edx_workers}
    senders = {(namespace, celery.service): celery for namespace, celery in site.senders}
    for resource in site.resources:
        for (listed, index), container in running(pod_template(resource)) if may_run_worker(resource) else ():
            line = worker_line(container)
            field = f"{pod_field(resource)}.{listed}[{index}]"
            celery = workers.get((resource.identity, field))
            is_sure = runs_beat(container) or (line is not None and line.has("--beat"))
            if not is_sure and (celery is None or celery.command.variable("--beat") is None):
                continue
            if stopped_by(site.resources, resource) is not None:
                break
            application = app_name(container, resource.name.partition("-")[0]).partition(".")[0]
            name = environment(container, "SERVICE_VARIANT") or application
            waits = takes_turns(container, celery or senders.get((resource.namespace, name)))
            yield resource, field, name, is_sure, waits


def _problem(resource: Resource, field: str, message: str) -> Problem:
    message = f"{message}: each periodic task is sent by each of them"
    remedy = "Let one run it, in one pod: spec.scheduler.enabled: true takes it out of the worker"
    return resource.problem(message, remedy, field=field, severity=WARNING)
