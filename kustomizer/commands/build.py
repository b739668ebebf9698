"""`tutor-kustomizer build`: run kustomize with the right flags, and fail if the function did not run."""

from __future__ import annotations

from pathlib import Path

import click

from kustomizer.files import write_file
from kustomizer.kustomize import build, find_kustomize


@click.command("build")
@click.argument("overlay", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--kustomize", "executable", metavar="PATH", help="The kustomize to run, instead of the one on PATH.")
def build_command(overlay: Path, output: Path | None, executable: str | None) -> None:
    """Build OVERLAY (default: this directory) with kustomize and the function."""
    built = build(overlay, find_kustomize(executable, near=overlay))
    click.echo(built.notes, nl=False, err=True)
    if output is None:
        click.echo(built.text, nl=False)
    else:
        write_file(output, built.text)
