"""`tutor-kustomizer verify`: what is really in force in the running workers, and in KEDA, against the build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import click

from kustomizer.cluster.in_flight import workers_in
from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.pods import LivePod, live_pods, pod_to_ask
from kustomizer.cluster.verify import Difference, Verified, pods_of, verified, without_pod
from kustomizer.cluster.verify_scaling import Scaled, cluster, redis_lists, scaled, scaled_objects
from kustomizer.cluster.verify_text import verify_json, verify_text
from kustomizer.commands.common import EXIT_FINDINGS, output_option, site_argument, table_width
from kustomizer.commands.in_flight import RunningSite, cluster_options, open_cluster
from kustomizer.errors import UserError
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import SiteWorker
from kustomizer.system.threads import threads

_AT_ONCE = 8
"""A kubectl takes 50 MB while it waits, and a pod some seconds to answer: it loads edx-platform's settings first."""


@click.command("verify", short_help="Compare the live workers and KEDA with a site.")
@site_argument
@output_option("text", "json")
@cluster_options
@click.pass_context
def verify_command(ctx: click.Context, /, *, site: Path, output: str, **options: Any) -> None:
    """Ask a live pod of each worker of SITE what is in force in it, and KEDA what it counts; exit with 3 if it differs.

    The worker's own process tells its queues, acknowledgement, keys and timeouts, by Celery's remote control.
    """
    place = open_cluster(site, options)
    workers, objects = verify(place)
    click.echo(verify_json(workers, objects) if output == "json" else verify_text(workers, objects, table_width()))
    if any(worker.differences for worker in workers) or any(item.differences for item in objects):
        ctx.exit(EXIT_FINDINGS)


def verify(running: RunningSite) -> tuple[list[Verified], list[Scaled]]:
    """Return what was found of each worker and of each ScaledObject. Raises UserError where pods can't be listed."""
    kubectl, workers = running.kubectl, workers_in(running.site, running.namespace)
    pods = live_pods(kubectl)
    objects = scaled_objects(running.site, workers)
    lists = redis_lists(objects)

    pods_by_worker = {worker.resource.name: pods_of(worker, pods) for worker in workers}
    to_ask = {
        name: [pod for pod in own_pods if pod.is_ready and pod.is_worker] for name, own_pods in pods_by_worker.items()
    }
    # One counts for all.
    counting = next((name for name, ready in to_ask.items() if ready), "")

    def ask(worker: SiteWorker) -> tuple[Verified, Mapping[str, int] | None]:
        name = worker.resource.name
        if not to_ask[name]:
            return without_pod(running.site, worker, pods_by_worker[name]), {}
        return _ask(kubectl, worker, to_ask[name][0], lists if name == counting else ())

    with threads(_AT_ONCE) as executor:
        answers = list(executor.map(ask, workers))
        counts = next((counted for _, counted in answers if counted), None)
        if counts is None and objects:
            silent = {worker.pod for worker, counted in answers if counted is None}
            answering = [pod for pod in pods if pod.name not in silent]
            counts = _counts(running, kubectl, answering or pods, lists)
        results = {worker.worker: worker for worker, _ in answers}
        return list(results.values()), _scaled(executor, kubectl, objects, counts or {}, results)


def _scaled(
    executor: Executor,
    kubectl: Kubectl,
    objects: Sequence[Resource],
    counts: Mapping[str, int],
    workers: Mapping[str, Verified],
) -> list[Scaled]:
    if not objects:
        return []
    try:
        live = cluster(kubectl)
    except UserError as error:
        unknown = Difference(what="in the cluster", configured="ScaledObjects", in_force=str(error))
        return [Scaled(name="KEDA", worker="", differences=(unknown,))]

    def one(item: Resource) -> Scaled:
        return scaled(item, live, kubectl, counts, workers.get(scale_target(item)[1]))

    return list(executor.map(one, objects))


def _ask(
    kubectl: Kubectl, worker: SiteWorker, pod: LivePod, lists: Sequence[str]
) -> tuple[Verified, Mapping[str, int] | None]:
    """Return what one worker's pod says, and how long the lists were then: None where it says nothing."""
    try:
        answer = pod.ask(kubectl, {"action": "look", "node": pod.node, "lists": list(lists)})
    except UserError as error:
        failed = Difference(what="asking it", configured="it answers", in_force=str(error))
        return Verified(worker=worker.resource.name, pod=pod.name, differences=(failed,)), None
    return verified(worker, pod, answer["worker"]), answer["counts"]


def _counts(place: RunningSite, kubectl: Kubectl, pods: Sequence[LivePod], lists: Sequence[str]) -> Mapping[str, int]:
    """Return the lists' lengths from another pod of the site, where no worker has one; nothing where none can tell."""
    try:
        pod = pod_to_ask(pods, name=None, namespace=place.namespace)
        counts: Mapping[str, int] = pod.ask(kubectl, {"action": "look", "node": "", "lists": list(lists)})["counts"]
    except UserError:
        # What is wrong with the workers has been found; how long their lists are isn't known.
        return {}
    return counts
