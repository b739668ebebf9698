"""A time for pods to finish that is shorter than tasks need, or longer than Redis waits.

A pod that is told to stop (a rollout, a node that is drained, a scale-in) finishes the task that it runs, for
`terminationGracePeriodSeconds` and no longer; then it is killed in the middle of it. Kubernetes' default is 30
seconds, and Tutor states none.

It can also be too long: a task that is in flight for longer than the broker's visibility timeout (an hour, unless
`BROKER_TRANSPORT_OPTIONS` says otherwise) is handed to another worker while the first one still runs it. Workers that
share an in-flight key share the shortest of their timeouts.

A `preStop` hook is a part of that time, and Celery hears of the end only when the hook is done.

Times are read from the settings that the worker loads: ours, Tutor's `production.py` and `lms.env.yml`.

**Severity:** warning.

**What to do:** set `terminationGracePeriodSeconds` to what the longest task of the queue needs, and
`visibilityTimeout` above it. With `softShutdownTimeout` keep that below the grace period, so that there is time to
put tasks back.

**What isn't seen:** how long tasks really take. Where the worker has a `--time-limit` or `CELERYD_TASK_TIME_LIMIT`,
that is what they may need.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.tree import lookup, number_at, string_list
from kustomizer.openedx.stopped import stopped_by
from kustomizer.openedx.workers import pod_field, pod_template
from kustomizer.site.model import Site, SiteWorker

KUBERNETES_DEFAULT = 30
"""Seconds (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#lifecycle)."""
_FIELD = "terminationGracePeriodSeconds"


def check(site: Site) -> Iterator[Problem]:
    """Find the workers of lms and cms whose grace period doesn't fit."""
    for worker in site.open_edx_workers:
        if stopped_by(site.resources, worker.resource) is not None:
            continue
        stated = number_at(pod_template(worker.resource), "spec", _FIELD)
        seconds = KUBERNETES_DEFAULT if stated is None else stated
        timeout = site.visibility_timeout(worker) if worker.is_on_redis else None
        field = f"{pod_field(worker.resource)}.{_FIELD}"
        for message, remedy in _faults(worker, seconds, timeout, is_stated=stated is not None):
            yield worker.resource.problem(message, remedy, field=field, severity=WARNING)
        hook = _seconds_of_hook(worker)
        if hook >= seconds:
            message = f"takes {hook} s of the {seconds} s that pods get: they are killed before Celery hears of it"
            remedy = "Shorten it, or raise terminationGracePeriodSeconds"
            yield worker.resource.problem(message, remedy, field=f"{worker.field}.lifecycle.preStop", severity=WARNING)


def _seconds_of_hook(worker: SiteWorker) -> int:
    """Return the seconds that a worker's preStop hook sleeps, which are a part of its grace period."""
    hook = lookup(worker.emitted.container_tree, "lifecycle", "preStop")
    words = " ".join(string_list(lookup(hook, "exec"), "command") or ()).replace(";", " ").split()
    slept = (whole_number(number) or 0 for word, number in pairwise(words) if word == "sleep")
    return (number_at(hook, "sleep", "seconds") or 0) + sum(slept)


def _faults(worker: SiteWorker, seconds: int, timeout: int | None, *, is_stated: bool) -> Iterator[tuple[str, str]]:
    likely = worker.celery.time_limit.likely if worker.celery is not None else None
    limit = whole_number(str(likely.value).partition(".")[0]) if likely is not None else None
    if seconds < KUBERNETES_DEFAULT or not is_stated:
        kind = "Kubernetes' default of " if not is_stated else ""
        yield (
            f"pods get {kind}{seconds} s to finish: a rollout or a drained node kills longer tasks in the middle",
            "Set terminationGracePeriodSeconds to what the queue's longest task needs",
        )
    elif limit is not None and seconds < limit:
        yield (
            f"pods get {seconds} s to finish, and a task may take {limit} s ({_name(worker)})",
            f"Set terminationGracePeriodSeconds to {limit} or more",
        )
    if timeout is not None and seconds > timeout:
        yield (
            f"pods get {seconds} s to finish a task, which Redis hands to another one after {timeout} s: it is run "
            "twice",
            f"Set visibilityTimeout above {seconds}",
        )
    soft = worker.soft_shutdown
    if soft is not None and soft >= seconds:
        yield (
            f"pods are killed after {seconds} s, before the {soft} s of the soft shutdown are over: tasks that aren't "
            "done can't be put back",
            f"Set softShutdownTimeout below {seconds}, or raise terminationGracePeriodSeconds",
        )


def _name(worker: SiteWorker) -> str:
    """Return what sets the worker's time limit."""
    return "--time-limit" if worker.emitted.command_line.has("--time-limit") else "CELERYD_TASK_TIME_LIMIT"
