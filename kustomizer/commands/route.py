"""`tutor-kustomizer route`: sends a task to a queue, in the configuration."""

from __future__ import annotations

from pathlib import Path

import click

from kustomizer.commands.completions import complete_queue, complete_task, place_of
from kustomizer.commands.queue import file_options, finish, open_config
from kustomizer.overlay.advice import route_notes
from kustomizer.overlay.changes import remove_route, route_task
from kustomizer.tasks.task_file import saved_tasks


@click.command("route", short_help="Send a task to a queue.")
@click.argument("service", type=click.Choice(["lms", "cms"]))
@click.argument("task", shell_complete=complete_task)
@click.argument("queue", required=False, shell_complete=complete_queue)
@click.option("--remove", is_flag=True, help="Leave the task's queue to Open edX again.")
@file_options
def route_command(
    *, service: str, task: str, queue: str | None, remove: bool, overlay: Path, file: Path | None
) -> None:
    """Send TASK, by its full name, to QUEUE wherever SERVICE sends it.

    What `tutor-kustomizer tasks --save` wrote beside the configuration says whether there is such a task.
    """
    if remove == (queue is not None):
        raise click.UsageError("Name a QUEUE, or --remove.")
    config = open_config(overlay, file)
    if queue is None:
        finish(config, remove_route(config, service, task))
        return
    site_tasks = saved_tasks(place_of(overlay, file))
    notes = [] if site_tasks is None else list(route_notes(site_tasks, service, task))
    finish(config, route_task(config, service, task, queue).replace(notes=notes))
