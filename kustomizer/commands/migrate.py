"""`tutor-kustomizer migrate`: turns the settings of tutor-contrib-celery into an overlay, and shows what differs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option, tutor_root_option
from kustomizer.commands.talk import terminal_width
from kustomizer.kustomize.executable import Wanted
from kustomizer.migration.comparison import Deviation, grouped
from kustomizer.migration.configuration import SECRET, Migration
from kustomizer.migration.settings import ContribSettings, read_settings
from kustomizer.migration.site import ContribSite, compared, migrate_site, read_site
from kustomizer.overlay.templates import overlay_files, write_overlay
from kustomizer.system.folding import fold


@click.command("migrate", short_help="Move over from tutor-contrib-celery.")
@tutor_root_option(required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Write the overlay there.")
@click.option("--tutor", metavar="PATH", help="The `tutor` that has the plugin, instead of the one on PATH.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@kustomize_option
def migrate_command(*, tutor_root: Path, output: Path | None, tutor: str | None, force: bool, wanted: Wanted) -> None:
    """Turn the settings of tutor-contrib-celery into an overlay, and show what differs from what the plugin emitted.

    Run it while the plugin is still on. Without -o the configuration is printed, and nothing is written.
    """
    settings = read_settings(tutor_root, tutor)
    site = read_site(tutor_root / "env", wanted)
    migration = migrate_site(settings, site)
    differences = compared(migration, site)
    if output is None:
        click.echo(migration.text, nl=False)
    else:
        for path in write(output, site, migration, force=force):
            click.echo(f"Wrote {path}", err=True)
    width = terminal_width()
    for line in report(settings, site, migration, differences):
        click.echo("\n".join(fold(line, width, more="    ")), err=output is None)
    for line in next_steps(settings, site, migration, output):
        click.echo(line, err=output is None)


def write(output: Path, site: ContribSite, migration: Migration, *, force: bool) -> list[Path]:
    """Write the overlay's files and return them. Raises UserError, and writes nothing, where it can't."""
    split = [service for service in site.survey.services if service.name in migration.config.services()]
    relative = os.path.relpath(site.env.resolve(), output.resolve())
    texts = {**overlay_files(relative, site.survey.replace(services=split)), "celery-workers.yaml": migration.text}
    return write_overlay(output, site.env, texts, force=force)


def report(
    settings: ContribSettings, site: ContribSite, migration: Migration, differences: Sequence[Deviation]
) -> Iterator[str]:
    """Yield the lines of the report: where settings came from, the notes, and the deviations."""
    if settings.workers is None:
        yield f"Read from what the plugin emitted, since {settings.trouble}."
    yield from (f"Note: {note}" for note in migration.notes)
    if not site.contrib_on:
        yield "env/ was rendered without the plugin: there is nothing to compare with."
        return
    config = migration.config
    names = [f"{service} {variant}" for service in config.services() for variant in config.variants(service)]
    look = [difference for difference in differences if not difference.why]
    meant = [difference for difference in differences if difference.why]
    yield (
        f"Compared with what the plugin emitted: {', '.join(names)}; their queues, options, replicas and "
        "ScaledObjects, the routing, Flower."
    )
    yield "Differs, look at it:" if look else "Nothing differs but for the better."
    yield from (f"  {line}" for line in grouped(look))
    if look and meant:
        yield "Differs for the better:"
    yield from (f"  {line}" for line in grouped(meant))
    yield "New: grace periods for all workers, and in-flight keys of its own for each copy (docs/operations.md)."


def next_steps(
    settings: ContribSettings, site: ContribSite, migration: Migration, output: Path | None
) -> Iterator[str]:
    """Yield the commands that the operator runs next."""
    yield "Next:"
    flower = migration.config.spec.flower
    if flower is not None and flower.basic_auth is not None:
        namespace = settings.value("K8S_NAMESPACE", "openedx")
        yield "  # While the plugin is still on: Flower's user and password, for the Secret"
        yield "  tutor config printvalue CELERY_FLOWER_BASIC_AUTH | tr -d '\\n' |"
        yield f"    kubectl -n {namespace} create secret generic {SECRET['name']} \\"
        yield f"    --from-file={SECRET['key']}=/dev/stdin"
    if site.contrib_on:
        yield "  # The overlay layers onto an env/ without the plugin: on this one its build fails"
        yield "  tutor plugins disable celery"
        yield "  tutor config save"
    yield f"  tutor-kustomizer build {shlex.quote(str(output or 'OVERLAY'))} -o site.yaml"
