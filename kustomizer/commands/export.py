"""`tutor-kustomizer export`: writes an overlay of plain kustomize that builds the same resources."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from kustomizer.commands.common import A_DIRECTORY, kustomize_option, say_stale
from kustomizer.commands.talk import pass_on, say
from kustomizer.errors import UserError
from kustomizer.export.base import read_base
from kustomizer.export.directory import differences, refuse_foreign, write_export
from kustomizer.export.overlay import Export, export_of, prove
from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.kustomize.function_log import read_report
from kustomizer.kustomize.split_env import split_directory

EXIT_STALE = 3


@click.command("export", short_help="Write an overlay as plain kustomize, without the function.")
@click.argument("overlay", type=A_DIRECTORY)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The directory to write to.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 if DIR isn't what would be written.")
@click.option("--include-secrets", is_flag=True, help="Write the values of Secrets, in clear text, too.")
@click.option("--force", is_flag=True, help="Overwrite files of an earlier export that were edited.")
@kustomize_option
@click.pass_context
def export_command(
    ctx: click.Context,
    *,
    overlay: Path,
    output: Path,
    check: bool,
    include_secrets: bool,
    force: bool,
    wanted: Wanted,
) -> None:
    """Write into DIR an overlay of plain kustomize that builds the same resources as OVERLAY.

    A second export replaces the files that the first one wrote. Files that were edited since then stay, and are named.
    """
    if not check:
        refuse_foreign(output)
    export = exported(overlay, output, wanted)
    files = export.contents(output.resolve(), include_secrets=include_secrets)
    if check:
        stale = list(differences(output.resolve(), files))
        for line in stale:
            click.echo(line)
        if stale:
            options = ["--include-secrets"] if include_secrets else []
            again = shlex.join(["tutor-kustomizer", "export", str(overlay), "-o", str(output), *options])
            say(f"{output} is out of date: `{again}`")
            ctx.exit(EXIT_STALE)
        return
    edited = write_export(output, files, force=force)
    say(f"Wrote {len(files.keys() - {*edited})} files into {output}")
    for name in edited:
        reason = "was edited" if name in files else "was edited, and isn't part of the export any more"
        say(f"Kept {output / name}, which {reason}: --force replaces it")
    for name in export.to_fill_in:
        if not (output / name).exists():
            say(f"Fill in {output / name}, as {output / name}.example says")


def exported(overlay: Path, output: Path, wanted: Wanted) -> Export:
    """Return the export of ``overlay``. Raises UserError where plain kustomize doesn't build the same from it."""
    if split_directory(overlay) is not None:
        raise UserError.of(
            f"{overlay} holds the split already, as plain kustomize: there is nothing to export",
            remedy="Build or commit it as it is",
        )
    base = read_base(overlay)
    for directory in base.directories():
        if output.resolve().is_relative_to(directory):
            message = f"{output} lies in {directory}, which the export is built from: kustomize calls that a cycle"
            raise UserError.of(message, remedy="Name a directory outside of it")
    kustomize = find_kustomize(wanted)
    built = build(overlay, kustomize)
    pass_on(built.messages)
    say_stale(built.directories)
    runs = read_report(built.report)
    if len(runs) != 1:
        message = f"the function ran {len(runs)} times in the build of {overlay}"
        raise UserError.of(message, remedy="Let one overlay list one configuration")
    export = export_of(base, runs[0])
    prove(export, built.resources(), kustomize)
    return export
