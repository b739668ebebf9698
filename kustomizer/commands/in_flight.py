"""`tutor-kustomizer in-flight`: the tasks that workers have taken and not acknowledged, on the live Redis."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from kustomizer.cluster.in_flight import (
    hashes,
    key_of,
    list_request,
    message,
    namespace_of,
    restore_request,
    restored,
    task_request,
    unconsumed,
    workers_in,
)
from kustomizer.cluster.in_flight_job import job
from kustomizer.cluster.in_flight_text import in_flight_json, in_flight_text, message_text, message_tree, restored_text
from kustomizer.cluster.kubectl import Kubectl, find_kubectl
from kustomizer.cluster.orphans import OLDER_SECONDS, orphans_json, orphans_text, restore_orphans
from kustomizer.cluster.pods import LivePod, live_pods, pod_to_ask
from kustomizer.commands.common import kustomize_option, output_option, site_argument, site_resources
from kustomizer.commands.talk import terminal_width
from kustomizer.errors import UserError
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.system.record_data import record_data

Command = Callable[..., None]

_arguments = click.option("--arguments", is_flag=True, help="Show the tasks' arguments, which may hold personal data.")
_print_job = click.option("--print-job", is_flag=True, help="Print a Job that does it in the cluster, and do nothing.")


def cluster_options(command: Command) -> Command:
    """Add the options that say which cluster is meant, and how it is reached."""
    for option in (
        kustomize_option,
        click.option("--kubeconfig", metavar="FILE", default="", help="kubectl's configuration, as for kubectl."),
        click.option("--context", metavar="NAME", default="", help="The cluster's context, as for kubectl."),
        click.option(
            "-n", "--namespace", metavar="NAME", help="Look in this namespace, not in that of the site's workers."
        ),
        click.option("--kubectl", metavar="PATH", help="The kubectl to run, not the one on PATH."),
    ):
        command = option(command)
    return command


class RunningSite(Record):
    """A built site, and the kubectl that reaches the place where it runs."""

    site: Site
    namespace: str
    given: Mapping[str, Any]

    @property
    def kubectl(self) -> Kubectl:
        """What runs commands there. Raises UserError where there is no kubectl."""
        return find_kubectl(
            self.given["kubectl"],
            namespace=self.namespace,
            context=self.given["context"],
            kubeconfig=self.given["kubeconfig"],
        )

    def ask(self, request: Mapping[str, Any], pods: list[LivePod] | None = None) -> Mapping[str, Any]:
        """Run the program in a pod of the site, the one that was named where one was. Raises UserError."""
        kubectl = self.kubectl
        pods = live_pods(kubectl) if pods is None else pods
        return pod_to_ask(pods, name=self.given.get("pod"), namespace=self.namespace).ask(kubectl, request)

    def print_job(self, request: Mapping[str, Any]) -> None:
        """Print a Job that runs the program."""
        workers = workers_in(self.site, self.namespace)
        if not workers:
            raise UserError.of(f"the site has no worker of lms or cms in namespace {self.namespace}")
        click.echo(job(workers[0], request, self.namespace), nl=False)


def open_cluster(site: Path, options: Mapping[str, Any]) -> RunningSite:
    """Build ``site``, or read it where it is a file that was built, and return it with the cluster of ``options``."""
    built = Site(site_resources(site, options["wanted"]))
    return RunningSite(site=built, namespace=options["namespace"] or namespace_of(built), given=options)


_pod = click.option("--pod", metavar="NAME", help="Look from this pod, not from a default worker's.")


@click.group("in-flight")
def in_flight_command() -> None:
    """The tasks that workers have taken and not acknowledged.

    The broker is reached from inside the cluster: a small program is run with `kubectl exec` in a pod of the site, or
    in a Job that `--print-job` prints.
    """


@in_flight_command.command("list", short_help="Show what is in flight.")
@site_argument
@click.option("--limit", type=click.IntRange(min=0), default=100, help="So many of each key, 0: all. Default: 100.")
@_arguments
@output_option("text", "json")
@_print_job
@_pod
@cluster_options
def list_command(site: Path, *, limit: int, arguments: bool, output: str, print_job: bool, **options: Any) -> None:
    """Show what is in flight under each worker's key, the oldest first, and under keys that no worker has any more.

    Of each it says which pod has it in hand, nobody, or that this can't be known: the workers are asked.
    """
    cluster = open_cluster(site, options)
    if print_job:
        cluster.print_job(list_request(cluster.site, limit=limit, arguments=arguments))
        return
    pods = live_pods(cluster.kubectl)
    request = list_request(cluster.site, limit=limit, arguments=arguments, pods=pods)
    keys = hashes(cluster.ask(request, pods), cluster.site, pods)
    click.echo(in_flight_json(keys) if output == "json" else in_flight_text(keys, terminal_width()))


@in_flight_command.command("restore", short_help="Put back what a removed worker has left.")
@click.argument("worker", required=False)
@site_argument
@click.option("--orphaned", is_flag=True, help="Only what no worker has in hand, and others may go on. WORKER: or all.")
@click.option(
    "--older-than",
    type=click.IntRange(min=0),
    default=OLDER_SECONDS,
    metavar="SECONDS",
    help=f"With --orphaned: only what was taken so long ago. Default: {OLDER_SECONDS}.",
)
@output_option("text", "json")
@_print_job
@_pod
@cluster_options
def restore_command(
    worker: str | None,
    site: Path,
    *,
    orphaned: bool,
    older_than: int,
    output: str,
    print_job: bool,
    **options: Any,
) -> None:
    """Put back on their queues what WORKER, one that was removed say, has left: its name, or a key of `list`.

    Refused while a worker uses that key, or one might: what it works on would run twice. With --orphaned workers are
    asked what they have in hand, twice, and the rest is put back; it is left where one of them doesn't answer.
    """
    if orphaned:
        _restore_orphans(worker, site, older_than, output, print_job=print_job, options=options)
        return
    if worker is None:
        raise click.UsageError("Missing argument 'WORKER'; without one there has to be --orphaned.")
    cluster = open_cluster(site, options)
    pods = live_pods(cluster.kubectl)
    request = restore_request(key_of(cluster.site, worker), pods)
    if print_job:
        # A Job can't tell a pod that is stopping from one that isn't there.
        names = [pod.name for pod in pods if pod.is_worker and pod.node in request["suspects"]]
        if names:
            message = f"{request['key']}: {', '.join(names)} may use it, so no Job is printed"
            raise UserError.of(message, remedy="Wait until there is no such pod")
        cluster.print_job(request)
        return
    restoration = restored(cluster.ask(request, pods), pods)
    if output == "json":
        click.echo(json.dumps(record_data(restoration), indent=2))
    else:
        click.echo(restored_text(restoration, unconsumed(cluster.site, restoration.queues)))


def _restore_orphans(
    worker: str | None, site: Path, older: int, output: str, *, print_job: bool, options: Mapping[str, Any]
) -> None:
    if print_job:
        raise click.UsageError("--orphaned lists the pods between its looks, which no Job here may: no --print-job.")
    if worker is not None and site == Path() and Path(worker).exists():
        # There is no worker of that name, but a directory.
        site, worker = Path(worker), None
    cluster = open_cluster(site, options)
    kubectl = cluster.kubectl
    outcomes = restore_orphans(cluster.site, worker, older=older, pods=lambda: live_pods(kubectl), ask=cluster.ask)
    click.echo(orphans_json(outcomes) if output == "json" else orphans_text(outcomes, older))
    if any(orphans.left for orphans in outcomes):
        raise SystemExit(1)


@in_flight_command.command("drop", short_help="Take one task away for good.")
@click.argument("task_id")
@site_argument
@click.option("--yes", is_flag=True, help="Don't ask.")
@_arguments
@output_option("text", "json")
@_print_job
@_pod
@cluster_options
def drop_command(
    task_id: str, site: Path, *, yes: bool, arguments: bool, output: str, print_job: bool, **options: Any
) -> None:
    """Take one task away for good, in flight or waiting: one that kills every worker it comes to, say.

    A worker that has it in hand goes on with it; it won't be delivered to another one.
    """
    cluster = open_cluster(site, options)
    if print_job:
        cluster.print_job(task_request(cluster.site, task_id, drop=True))
        return
    found_task = cluster.ask(task_request(cluster.site, task_id, drop=False, arguments=arguments))
    messages = [message(task, task["key"]) for task in found_task["found"]]
    if not messages:
        raise UserError.of(f"no task {task_id} is in flight or waiting", remedy="`in-flight list` shows their ids")
    for task in messages:
        click.echo(message_text(task), err=True)
    if not yes:
        click.confirm("Drop it for good?", abort=True, err=True)
    answer = cluster.ask(task_request(cluster.site, task_id, drop=True))
    dropped = [task for task in (message(item, item["key"]) for item in answer["found"]) if task.dropped]
    if not dropped:
        raise UserError.of(f"task {task_id} is gone by now: it was acknowledged, or taken by a worker")
    if output == "json":
        click.echo(json.dumps([{"key": task.key, **message_tree(task)} for task in dropped], indent=2))
    else:
        click.echo(f"Dropped {task_id}")
