"""`tutor-kustomizer queues`: which worker consumes which queue, and how it scales."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kustomizer.kustomize import build, find_kustomize
from kustomizer.queue_table import queue_table
from kustomizer.resource_list import read_stream
from kustomizer.resources import Resources
from kustomizer.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.queue_table import QueueRow

HEADINGS = ("queue", "Deployment", "consumes", "pods", "each", "in flight")


@click.command("queues")
@click.argument("site", type=click.Path(path_type=Path, exists=True), default=".")
@click.option("--kustomize", "executable", metavar="PATH", help="The kustomize to run, instead of the one on PATH.")
def queues_command(site: Path, executable: str | None) -> None:
    """Print who consumes which queue in SITE: an overlay (default: this directory), or a file that was built."""
    text = (
        site.read_text(encoding="utf-8") if site.is_file() else build(site, find_kustomize(executable, near=site)).text
    )
    rows = queue_table(Resources(read_stream(text.encode(), b"{}").resources))
    click.echo(render(rows, max(shutil.get_terminal_size().columns, 40)))


def _consumes(queues: int) -> str:
    if queues == 0:
        return "default"
    return "1 queue" if queues == 1 else f"{queues} queues"


def render(rows: Sequence[QueueRow], width: int) -> str:
    """Return ``rows`` as a table."""
    if not rows:
        return "No Celery worker in this site."
    lines = [
        (
            row.queue or "(its settings say)",
            row.deployment,
            _consumes(row.consumed),
            str(row.scaling),
            str(row.scaling.list_length or ""),
            row.scaling.in_flight,
        )
        for row in rows
    ]
    return text_table([HEADINGS, *lines], width)
