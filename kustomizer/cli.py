"""The command `tutor-kustomizer`: parses, dispatches, and is the one place that turns errors into messages."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from kustomizer import __version__
from kustomizer.commands.apply import apply_command
from kustomizer.commands.build import build_command
from kustomizer.commands.check import check_command
from kustomizer.commands.completion import completion_command
from kustomizer.commands.diff import diff_command
from kustomizer.commands.export import export_command
from kustomizer.commands.in_flight import in_flight_command
from kustomizer.commands.init import init_command
from kustomizer.commands.migrate import migrate_command
from kustomizer.commands.queue import queue_command
from kustomizer.commands.queues import queues_command
from kustomizer.commands.route import route_command
from kustomizer.commands.schema import schema_command
from kustomizer.commands.verify import verify_command
from kustomizer.errors import UserError
from kustomizer.verbose import set_verbose

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_ERROR = 1


class Group(click.Group):
    """A group whose commands may raise UserError: the message goes to stderr, the exit status is 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; bugs keep their traceback."""
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            # https://no-color.org; that a terminal is asked for at all, click sees to.
            ctx.color = False
        try:
            return super().invoke(ctx)
        except UserError as error:
            for problem in error.problems:
                click.echo(f"{click.style('Error:', fg='red')} {problem}", err=True)
            ctx.exit(EXIT_ERROR)


verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=lambda _context, _option, value: set_verbose(value),
    help="Tell what is run, and how long that takes.",
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tutor-kustomizer")
@verbose_option
def main() -> None:
    """Queue-aware Celery workers for Open edX on Kubernetes, layered onto Tutor's output."""


for command in (
    apply_command,
    build_command,
    check_command,
    completion_command,
    diff_command,
    export_command,
    in_flight_command,
    init_command,
    migrate_command,
    queue_command,
    queues_command,
    route_command,
    schema_command,
    verify_command,
):
    main.add_command(command)


def run(args: Sequence[str] | None = None) -> None:
    """Run the command line ``args``, by default the process's own, and exit."""
    try:
        main(args=list(args) if args is not None else None, prog_name="tutor-kustomizer")
    except BrokenPipeError:
        # The reader, `head` say, has had enough.
        sys.stderr.close()
        sys.exit(EXIT_ERROR)
