"""What several commands share: options, the site that is meant, the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kustomizer.kustomize.build import build
from kustomizer.kustomize.built_file import BuiltFile
from kustomizer.kustomize.executable import find_kustomize

if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resources

_NARROWEST = 40
"""Columns; in fewer, tables can't be read."""
_WIDEST = 10_000

kustomize_option = click.option(
    "--kustomize", "executable", metavar="PATH", help="The kustomize to run, instead of the one on PATH."
)
tutor_root_option = click.option(
    "--tutor-root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="TUTOR_ROOT",
    required=True,
    help="Tutor's root, as `tutor config printroot` prints it.",
)


def site_resources(site: Path, executable: str | None) -> Resources:
    """Return what ``site`` holds, a file that was built, or builds to, an overlay. Raises UserError where it can't."""
    if site.is_dir():
        return build(site, find_kustomize(executable, near=site)).resources()
    return BuiltFile(site).resources


def terminal_width() -> int:
    """Return the terminal's width in columns."""
    return max(shutil.get_terminal_size().columns, _NARROWEST)


def table_width() -> int:
    """Return how many columns a table may have: the terminal's, or any where a program reads it, `grep` say."""
    return terminal_width() if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDEST


def wants_colour(ctx: click.Context) -> bool:
    """Tell whether standard output takes colour; ``ctx.color`` is what the user's environment says of it."""
    return sys.stdout.isatty() if ctx.color is None else ctx.color
