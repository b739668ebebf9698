"""The commands as `tutor kustomizer …`: inside of Tutor the root is known, so that no path has to be given.

Tutor finds this module through the entry point ``tutor.plugin.v1``; enable it with `tutor plugins enable kustomizer`.
"""

from __future__ import annotations

import os

import click
from tutor import hooks

from kustomizer.cli import Group, main, verbose_option


@click.group("kustomizer", cls=Group)
@verbose_option
@click.pass_context
def kustomizer(ctx: click.Context) -> None:
    """Queue-aware Celery workers, layered onto this Tutor's output with kustomize."""
    os.environ.setdefault("TUTOR_ROOT", str(ctx.obj.root))


for name, command in main.commands.items():
    # Tutor has its own completion.
    if name != "completion":
        kustomizer.add_command(command)

hooks.Filters.CLI_COMMANDS.add_item(kustomizer)
