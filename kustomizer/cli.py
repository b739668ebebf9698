"""The command `tutor-kustomizer`: parses the command line and runs the command."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import click

from kustomizer import __version__
from kustomizer.commands.group import Commands, leave, verbose_option

# A build's objects stay until the end, and hardly anything refers to itself: on a large site, to look for what does
# took a fifth of a comparison's time. A command that waits for hours still looks, now and then.
_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tutor-kustomizer")
@verbose_option
def main() -> None:
    """Queue-aware Celery workers for Open edX on Kubernetes, layered onto Tutor's output."""


def run(args: Sequence[str] | None = None) -> None:
    """Run the command line ``args``, by default the process's own, and exit."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    try:
        main(args=list(args) if args is not None else None, prog_name="tutor-kustomizer")
    except OSError as error:
        leave(error)
