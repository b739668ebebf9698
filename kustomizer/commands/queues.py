"""`tutor-kustomizer queues`: shows which worker consumes which queue, how it scales, and what is routed there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from kustomizer.commands.common import kustomize_option, output_option, site_argument, site_resources, table_width
from kustomizer.findings.github import without_commands
from kustomizer.kustomize.executable import Wanted
from kustomizer.manifests.writer import emit
from kustomizer.site.flower import FlowerRow, flowers_of
from kustomizer.site.mermaid import mermaid
from kustomizer.site.model import Site
from kustomizer.site.queue_table import queues_data, queues_markdown, queues_text
from kustomizer.site.queues import QueueRow, queues_of
from kustomizer.site.value_sources import value_lines, value_sources
from kustomizer.system.command_log import is_verbose
from kustomizer.system.record_data import record_data


@click.command("queues", short_help="Show who consumes and scales which queue.")
@site_argument
@output_option("text", "json", "yaml", "markdown", "mermaid")
@kustomize_option
def queues_command(site: Path, output: str, wanted: Wanted) -> None:
    """Print who consumes which queue in SITE: an overlay (default: this directory), or a built file.

    With `tutor-kustomizer -v queues` it says, for each worker, what its Celery will do and which object, field or line
    says so; JSON and YAML always hold that. Each Flower is named, with what watches it.

    Mermaid is a picture that GitHub and GitLab draw; markdown is the table and the picture.
    """
    built = Site(site_resources(site, wanted))
    rows, flowers = queues_of(built), flowers_of(built)
    if output in ("json", "yaml"):
        data = {**queues_data(rows), "flowers": record_data(flowers), "workers": value_sources(built)}
        click.echo((json.dumps(data, indent=2, ensure_ascii=False) if output == "json" else emit(data)).rstrip("\n"))
        return
    click.echo(render(rows, flowers, output, table_width()).rstrip("\n"))
    if is_verbose() and output == "text":
        click.echo(without_commands("\n".join(["", *value_lines(value_sources(built))])))


def render(rows: Sequence[QueueRow], flowers: Sequence[FlowerRow], output: str, width: int) -> str:
    """Return ``rows`` and ``flowers`` in the form ``output``; the picture is of queues alone."""
    if output == "markdown":
        return without_commands(queues_markdown(rows, flowers))
    if output == "mermaid":
        return without_commands(mermaid(rows))
    return without_commands(queues_text(rows, width, flowers))
