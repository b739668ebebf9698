"""`tutor-kustomizer route`: sends a task to a queue, in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kustomizer.commands.queue import file_options, finish, open_config
from kustomizer.overlay.changes import remove_route, route_task

if TYPE_CHECKING:
    from pathlib import Path


@click.command("route", short_help="Send a task to a queue.")
@click.argument("service", type=click.Choice(["lms", "cms"]))
@click.argument("task")
@click.argument("queue", required=False)
@click.option("--remove", is_flag=True, help="Leave the task's queue to Open edX again.")
@file_options
def route_command(
    *, service: str, task: str, queue: str | None, remove: bool, overlay: Path, file: Path | None
) -> None:
    """Send TASK, by its full name, to QUEUE wherever SERVICE sends it."""
    if remove == (queue is not None):
        raise click.UsageError("Name a QUEUE, or --remove.")
    config = open_config(overlay, file)
    change = remove_route(config, service, task) if queue is None else route_task(config, service, task, queue)
    finish(config, change)
