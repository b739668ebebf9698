"""`tutor-kustomizer init`: write an overlay that layers onto a Tutor site."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option, tutor_root_option
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build import build_tutors, find_kustomize
from kustomizer.manifests.protocols import read_build
from kustomizer.overlay.directory import write_overlay
from kustomizer.overlay.survey import Survey, survey
from kustomizer.overlay.templates import overlay_files


@click.command("init", short_help="Write an overlay for a Tutor site.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@tutor_root_option
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@kustomize_option
def init_command(directory: Path, tutor_root: Path, force: bool, executable: str | None) -> None:
    """Write an overlay into DIRECTORY that splits the workers of a Tutor site."""
    env = tutor_root / "env"
    found = survey_site(env, executable)
    for line in found.lines():
        click.echo(line, err=True)
    written = init(directory, env, found, force=force)
    click.echo("Wrote " + ", ".join(str(path) for path in written), err=True)
    click.echo(f"Next: tutor-kustomizer build {shlex.quote(str(directory))}", err=True)


def survey_site(env: Path, executable: str | None) -> Survey:
    """Return what the site that Tutor wrote into ``env`` has. Raises UserError where it can't be built."""
    return survey(read_build(build_tutors(env, find_kustomize(executable, near=env))))


def init(directory: Path, env: Path, found: Survey, *, force: bool) -> list[Path]:
    """Write the overlay's files and return them. Raises UserError, and writes nothing, where it can't."""
    if not any(service.variants for service in found.services):
        raise UserError(Problem(message=f"{env} has no lms-worker or cms-worker to split"))
    relative = os.path.relpath(env.resolve(), directory.resolve())
    return write_overlay(directory, env, overlay_files(relative, found), force=force)
