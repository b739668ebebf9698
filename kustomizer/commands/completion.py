"""`tutor-kustomizer completion`: prints the script with which a shell completes our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL; source it in the shell's start-up file."""
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 - click has these three
    script = completion(ctx.find_root().command, {}, "tutor-kustomizer", "_TUTOR_KUSTOMIZER_COMPLETE").source()
    click.echo(script, nl=False)
