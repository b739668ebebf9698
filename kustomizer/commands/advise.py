"""`tutor-kustomizer advise`: what the numbers of the site's tasks say of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kustomizer.advice.advise import advise, advised_text
from kustomizer.commands.common import A_DIRECTORY, A_FILE, table_width
from kustomizer.commands.completions import place_of
from kustomizer.commands.numbers import asks_for_numbers, measure, number_options, with_numbers
from kustomizer.commands.queue import open_config, write as write_config
from kustomizer.commands.talk import say
from kustomizer.errors import UserError
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.task_file import FILE, saved_tasks


@click.command("advise", short_help="Say what measured numbers speak for.")
@click.argument("overlay", type=A_DIRECTORY, default=".")
@click.option("--file", type=A_FILE, help="The configuration itself.")
@number_options
@click.option("-n", "--namespace", metavar="NAME", default="", help="The site's, where Prometheus knows several.")
@click.option("--write", is_flag=True, help="Change the configuration, too.")
def advise_command(*, overlay: Path, file: Path | None, write: bool, **options: Any) -> None:
    """Say what the numbers of the site's tasks speak for in OVERLAY's configuration: routes, concurrency, scaling.

    The tasks, and numbers where none are asked for, are those that `tutor-kustomizer tasks --save` wrote beside it.
    Each change has its reason: what was measured, and the rule. Nothing is written without --write.
    """
    site_tasks = _known(place_of(overlay, file), options)
    config = open_config(overlay, file)
    advised = advise(site_tasks, config)
    click.echo(advised_text(site_tasks, advised, table_width()))
    for note in advised.notes:
        say(str(note), label=note.severity.capitalize())
    if not advised.reasons:
        return
    if not write:
        say("Nothing was changed: --write does it")
        return
    write_config(config, advised.after)
    say(f"{config.path}: changed")


def _known(directory: Path, options: dict[str, Any]) -> SiteTasks:
    """Return the saved tasks with numbers. Raises UserError where there are none."""
    site_tasks = saved_tasks(directory)
    save = f"tutor-kustomizer tasks {directory} --save {directory}"
    if site_tasks is None:
        message = f"{directory / FILE} is missing: where the site's tasks go isn't known"
        raise UserError.of(message, remedy=f"Save them: {save}")
    numbers = measure(options, options["namespace"]) if asks_for_numbers(options) else None
    if numbers is not None:
        return with_numbers(site_tasks, numbers)
    if site_tasks.measured is None:
        remedy = f"Name --prometheus or --flower here, or save numbers with them: {save} --prometheus URL"
        raise UserError.of(f"{directory / FILE} holds no numbers", remedy=remedy)
    return site_tasks
