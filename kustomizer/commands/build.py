"""`tutor-kustomizer build`: runs kustomize with the right flags, and fails where the function did not run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option, say_stale
from kustomizer.commands.talk import pass_on
from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.system.files import PRIVATE, write_file

STDOUT = Path("-")


@click.command("build", short_help="Build an overlay with kustomize and the function.")
@click.argument("overlay", type=click.Path(path_type=Path, exists=True), default=".")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, allow_dash=True), help="The file to write, - for stdout."
)
@kustomize_option
def build_command(overlay: Path, output: Path | None, wanted: Wanted) -> None:
    """Build OVERLAY (default: this directory) with kustomize and the function.

    A built site holds passwords: only its owner may read the file.
    """
    if output is None and sys.stdout and sys.stdout.isatty():
        raise click.UsageError("a built site holds passwords: name a file with -o, or print it with -o -")
    built = build(overlay, find_kustomize(wanted))
    pass_on(built.messages)
    say_stale(built.directories)
    if output is None or output == STDOUT:
        click.echo(built.text, nl=False)
    else:
        write_file(output, built.text, mode=PRIVATE)
