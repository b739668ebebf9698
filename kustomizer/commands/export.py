"""`tutor-kustomizer export`: write an overlay of plain kustomize that gives the same resources."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option
from kustomizer.errors import Problem, UserError
from kustomizer.export.base import read_base
from kustomizer.export.directory import differences, refuse_foreign, replace_directory
from kustomizer.export.overlay import Export, export
from kustomizer.export.proof import prove
from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import find_kustomize
from kustomizer.kustomize.function_log import read_report

EXIT_STALE = 3


@click.command("export", short_help="Write an overlay as plain kustomize, without plugins.")
@click.argument("overlay", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Where to."
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 if DIR isn't what would be written.")
@click.option("--include-secrets", is_flag=True, help="Write the values of Secrets, in clear text, too.")
@kustomize_option
@click.pass_context
def export_command(
    ctx: click.Context, *, overlay: Path, output: Path, check: bool, include_secrets: bool, executable: str | None
) -> None:
    """Write into DIR an overlay that gives the same resources as OVERLAY, with no plugin at all."""
    if not check:
        refuse_foreign(output)
    made = exported(overlay, output, executable)
    files = made.contents(output.resolve(), include_secrets=include_secrets)
    if check:
        stale = list(differences(output, files))
        for line in stale:
            click.echo(line)
        if stale:
            options = ["--include-secrets"] if include_secrets else []
            again = shlex.join(["tutor-kustomizer", "export", str(overlay), "-o", str(output), *options])
            click.echo(f"{output} is out of date: {again}", err=True)
            ctx.exit(EXIT_STALE)
        return
    replace_directory(output, files)
    click.echo(f"Wrote {len(files)} files into {output}", err=True)
    for path in made.to_fill_in:
        if not (output / path).exists():
            click.echo(f"Fill in {output / path}, as {output / path}.example says", err=True)


def exported(overlay: Path, output: Path, executable: str | None) -> Export:
    """Return the export of ``overlay``, proven. Raises UserError where plain kustomize can't do the same."""
    base = read_base(overlay)
    for directory in base.directories():
        if output.resolve().is_relative_to(directory):
            message = f"{output} lies in {directory}, which the export is built from: kustomize calls that a cycle"
            raise UserError(Problem(message=message, remedy="Name a directory outside of it"))
    kustomize = find_kustomize(executable, near=overlay)
    built = build(overlay, kustomize)
    click.echo(built.notes, nl=False, err=True)
    runs = read_report(built.report)
    if len(runs) != 1:
        message = f"the function ran {len(runs)} times in the build of {overlay}"
        raise UserError(Problem(message=message, remedy="Let one overlay list one configuration"))
    made = export(base, runs[0])
    prove(made, built.text, kustomize)
    return made
