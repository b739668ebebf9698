"""`tutor-kustomizer init`: writes an overlay that layers onto a Tutor site."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option, program, say_stale, tutor_root_option
from kustomizer.commands.talk import say
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.manifests.protocols import read_build
from kustomizer.migration import emitted as contrib_output
from kustomizer.overlay.refresh import refresh
from kustomizer.overlay.survey import Survey, survey
from kustomizer.overlay.templates import overlay_files, write_overlay
from kustomizer.tutor_env.making import build_as_tutors


@click.command("init", short_help="Write an overlay for a Tutor site.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@tutor_root_option(required=False)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option(
    "--refresh",
    "is_refresh",
    is_flag=True,
    help="Renew guard, schema and references of the overlay that is there; the configuration stays as it is.",
)
@click.option(
    "--kubectl/--no-kubectl",
    default=None,
    help="Write it for builds by kubectl alone, or by kustomize (default; --refresh keeps what is there).",
)
@kustomize_option
def init_command(
    directory: Path,
    *,
    tutor_root: Path | None,
    force: bool,
    is_refresh: bool,
    kubectl: bool | None,
    wanted: Wanted,
) -> None:
    """Write an overlay into DIRECTORY that splits the workers of a Tutor site, or renew the one that is there."""
    if is_refresh:
        if force:
            raise click.UsageError("--refresh overwrites nothing of yours: leave --force out")
        refreshed = refresh(directory, kubectl=kubectl)
        for note in refreshed.notes:
            say(note)
        files = ", ".join(map(str, refreshed.written))
        say(f"Wrote {files}" if files else f"{directory} is up to date")
        return
    if tutor_root is None:
        raise click.UsageError("Missing option '--tutor-root' (or TUTOR_ROOT in the environment).")
    env = tutor_root / "env"
    survey = survey_site(env, wanted)
    for line in survey.lines():
        say(line)
    if not any(service.variants for service in survey.services):
        nothing = Problem(message=f"{env} has no lms-worker or cms-worker to split")
        raise UserError(*(survey.refused or (nothing,)))
    relative = os.path.relpath(env.resolve(), directory.resolve())
    texts = overlay_files(relative, survey, kubectl=bool(kubectl))
    written = write_overlay(directory, env, texts, force=force)
    say("Wrote " + ", ".join(str(path) for path in written))
    click.echo(f"Next: {program()} build {shlex.quote(str(directory))} -o site.yaml", err=True)


def survey_site(env: Path, wanted: Wanted) -> Survey:
    """Return the survey of the site in ``env``. Raises UserError where it can't be built, or is split already."""
    resources = read_build(build_as_tutors(env.parent, find_kustomize(wanted)))
    say_stale([str(env)])
    workers = contrib_output.own_workers(resources) if contrib_output.is_in(env) else []
    if workers:
        root = shlex.quote(str(env.parent))
        raise UserError.of(
            f"{env} holds workers of tutor-contrib-celery's: {', '.join(workers)}",
            remedy=f"`tutor-kustomizer migrate --tutor-root {root} -o OVERLAY` turns its settings into "
            "an overlay; without them, run `tutor plugins disable celery` and `tutor config save` first",
        )
    return survey(resources)
