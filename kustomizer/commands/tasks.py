"""`tutor-kustomizer tasks`: every task of the live site, the queue that it goes to, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from kustomizer.advice.concerns import concerns
from kustomizer.cluster.in_flight_job import job
from kustomizer.cluster.pods import LivePod, live_pods, pod_to_ask
from kustomizer.cluster.tasks import JOB, read_answers, site_tasks, tasks_request, workers_of_services
from kustomizer.commands.common import A_FILE, output_option, site_argument, table_width
from kustomizer.commands.in_flight import RunningSite, cluster_options, open_cluster
from kustomizer.commands.numbers import asks_for_numbers, measure, number_options, with_numbers
from kustomizer.commands.talk import say
from kustomizer.site.model import SiteWorker
from kustomizer.site.queues import queues_of
from kustomizer.system.files import write_file
from kustomizer.system.threads import threads
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.table import ORDERS, tasks_markdown, tasks_text
from kustomizer.tasks.task_file import FILE, tasks_json

Workers = Mapping[str, SiteWorker]


@click.command("tasks", short_help="Show the site's tasks and their queues.")
@site_argument
@click.option("--sort", type=click.Choice(list(ORDERS)), default="name", help="Default: name. JSON is by name.")
@number_options
@output_option("text", "json", "markdown")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Write it to FILE, too, as JSON; in a directory to {FILE}.",
)
@click.option("--print-job", is_flag=True, help="Print Jobs that look in the cluster, and do nothing.")
@click.option(
    "--answer",
    "answers",
    type=A_FILE,
    multiple=True,
    metavar="FILE",
    help="Read the log of such Jobs, and ask no pod. May be repeated.",
)
@click.option("--pod", metavar="NAME", help="Ask this pod alone.")
@cluster_options
def tasks_command(
    *,
    site: Path,
    sort: str,
    output: str,
    save: Path | None,
    print_job: bool,
    answers: tuple[Path, ...],
    **options: Any,
) -> None:
    """Show every task that SITE's applications know, the queue that it goes to now, by what, and with this build.

    A pod of each service is asked with `kubectl exec`: a small program loads the application there once more, which
    takes memory of the pod. With --prometheus or --flower: how often each ran, how long, and how often it failed. The
    environment variables PROMETHEUS_CREDENTIALS and FLOWER_CREDENTIALS may hold USER:PASSWORD, or a token.
    """
    if not asks_for_numbers(options) and sort == "load":
        raise click.UsageError("To sort by load, name --prometheus or --flower.")
    running = open_cluster(site, options)
    workers = workers_of_services(running.site, running.namespace)
    if print_job:
        requests = [(worker, tasks_request(worker)) for worker in workers.values()]
        jobs = [job(worker, request, running.namespace, name=JOB, command="tasks") for worker, request in requests]
        click.echo("---\n".join(jobs), nl=False)
        return
    # First: it takes less time to fail than pods take to answer.
    numbers = measure(options, running.namespace)
    today = datetime.now(timezone.utc).date().isoformat()
    tasks_of_site = site_tasks(read_answers(answers, workers), today) if answers else _asked(running, workers, today)
    if numbers is not None:
        tasks_of_site = with_numbers(tasks_of_site, numbers)
    if save is not None:
        write_file(save / FILE if save.is_dir() else save, tasks_json(tasks_of_site) + "\n")
    if output == "json":
        click.echo(tasks_json(tasks_of_site))
    else:
        click.echo(
            tasks_markdown(tasks_of_site, sort)
            if output == "markdown"
            else tasks_text(tasks_of_site, sort, table_width())
        )
    for problem in concerns(tasks_of_site, queues_of(running.site)):
        say(str(problem), label="Warning")


def _asked(running: RunningSite, workers: Workers, today: str) -> SiteTasks:
    """Return what a pod of each service says, a worker's where one is ready. Raises UserError where none is."""
    kubectl, pod_name = running.kubectl, running.given["pod"]
    ready = [pod for pod in live_pods(kubectl) if pod.is_ready and pod_name in (None, pod.name)]
    pods: list[LivePod] = []
    for service in workers:
        candidates = [pod for pod in ready if pod.service == service]
        if candidates:
            pods.append(pod_to_ask(candidates, name=pod_name, namespace=running.namespace))
        elif pod_name is None and ready:
            say(f"No pod of {service} is ready: its tasks aren't shown")
    if not pods:
        pod_to_ask([], name=pod_name, namespace=running.namespace)

    def ask(pod: LivePod) -> Mapping[str, Any]:
        return pod.ask(kubectl, tasks_request(workers[pod.service]))

    with threads(len(pods)) as executor:
        without = [pod.service for pod in pods if not pod.is_worker]
        return site_tasks(executor.map(ask, pods), today, without)
