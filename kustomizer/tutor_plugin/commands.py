"""The commands that only `tutor kustomizer` has: save, status, and `init` without a directory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from tutor.commands.config import config_command

from kustomizer.commands.common import kustomize_option
from kustomizer.commands.init import init_command, survey_site
from kustomizer.commands.talk import terminal_width
from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Wanted
from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import OVERLAY, SPLIT
from kustomizer.overlay.templates import SCHEMA_FILE, configuration_text, schema_text
from kustomizer.system.files import write_new_files
from kustomizer.system.folding import fold_lines
from kustomizer.tutor_env.staleness import is_tutor_env
from kustomizer.tutor_env.state import read_summary
from kustomizer.tutor_plugin.env_saved import COMMAND
from kustomizer.tutor_plugin.options import Options
from kustomizer.tutor_plugin.rendering import reason as stale_reason


@click.command("save", hidden=True)
@click.pass_context
def save_command(ctx: click.Context) -> None:
    """Run `tutor config save`: scripts for Tutor 16 to 21 call it by this name, from when only this made the split."""
    save = config_command.commands["save"]
    with save.make_context("save", [], parent=ctx.parent.parent if ctx.parent else None) as inner:
        save.invoke(inner)


@click.command("status", short_help="Say where the split is, and whether it is up to date.")
@click.pass_context
def status_command(ctx: click.Context) -> None:
    """Say whether env/ or an overlay holds the split, by which configuration, and whether it is as it was saved."""
    for line in status(ctx.obj.kustomizer_options):
        click.echo(fold_lines(line, terminal_width()) if sys.stdout.isatty() else line)


def status(wanted: Options) -> Iterator[str]:
    """Yield what there is to say about the split of a Tutor root."""
    env = wanted.root / "env"
    if wanted.overlay is not None:
        yield f"The overlay {wanted.overlay} holds the split ({OVERLAY}); env/ stays as Tutor writes it."
    elif not wanted.is_split:
        yield f"Nothing is split: {SPLIT} is false, and {OVERLAY} names no overlay."
    else:
        if is_tutor_env(env) and not is_missing(env):
            yield "env/ holds the split; `tutor k8s start` and whatever applies env/ get it."
        config = wanted.present_config
        yield f"Configuration: {config or 'none, so the recommended queues (write one: tutor kustomizer init)'}"
    if not is_tutor_env(env):
        yield f"There is no env/ yet: {COMMAND}"
        return
    if wanted.is_split and is_missing(env):
        yield f"env/ is to hold the split, and can't be built before it does: {COMMAND}"
        return
    reason = stale_reason(wanted)
    yield f"env/ isn't what Tutor would write now, {reason}: {COMMAND}" if reason else "env/ is as it was saved."
    present = split_directory(env) if wanted.is_split else None
    summary = read_summary(present) if present else None
    if summary:
        yield summary["table"]


@click.command("init", params=[parameter for parameter in init_command.params if parameter.name != "directory"])
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def init_in_root_command(ctx: click.Context, /, *, directory: Path | None, **others: Any) -> None:
    """Write celery-workers.yaml into Tutor's root, for the split in env/; with DIRECTORY, an overlay there."""
    if directory is not None:
        ctx.invoke(init_command, directory=directory, **others)
        return
    _init_in_root(ctx.obj.kustomizer_options, **others)


@kustomize_option
def _init_in_root(options: Options, *, force: bool, wanted: Wanted, **_others: object) -> None:
    written = write_config(options, wanted, force=force)
    click.echo("Wrote " + ", ".join(map(str, written)), err=True)
    click.echo(f"Next: {COMMAND}", err=True)


def write_config(options: Options, wanted: Wanted, *, force: bool) -> list[Path]:
    """Write the configuration of the split in env/ with the recommended queues, and its schema.

    Raises UserError where it is there already, or an overlay is in use.
    """
    if not options.is_split:
        raise UserError.of(
            "env/ stays as Tutor writes it: a configuration in Tutor's root would do nothing",
            remedy="Name the directory of an overlay, or let env/ hold the split: "
            f"tutor config save --unset {OVERLAY} --set {SPLIT}=true",
        )
    surveyed = survey_site(options.root / "env", wanted)
    texts = {options.config.name: configuration_text(surveyed), SCHEMA_FILE: schema_text()}
    return write_new_files(options.config.parent, texts, force=force)
