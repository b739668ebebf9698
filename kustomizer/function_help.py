"""Answers a person who runs the function by hand; kustomize never needs this."""

from __future__ import annotations

from collections.abc import Sequence

from kustomizer import __version__
from kustomizer.record import Record

EXIT_USAGE = 2

HELP = """\
tutor-celery-workers: gives each Celery queue of Open edX a worker of its own

This is a KRM function: kustomize runs it, with a site's resources on stdin.

  kustomize build --enable-alpha-plugins --enable-exec OVERLAY
  tutor-kustomizer build OVERLAY    the same, and fails where it was skipped

By hand:

  tutor-celery-workers <LIST        on a ResourceList, its configuration in it
  tutor-celery-workers CONFIG <FILE on documents, the configuration in a file
  tutor-celery-workers --definition its KRMFunctionDefinition
  tutor-celery-workers --version
  tutor-celery-workers --help
"""


class Answer(Record):
    """A text to print, and the exit status; wrong usage goes to stderr."""

    text: str
    status: int = 0


def answer(arguments: Sequence[str]) -> Answer:
    """Return the answer to ``arguments``; without any, a person ran the function without input."""
    if list(arguments) in (["--help"], ["-h"]):
        return Answer(text=HELP)
    if list(arguments) == ["--version"]:
        return Answer(text=f"tutor-celery-workers {__version__}\n")
    if list(arguments) == ["--definition"]:
        from kustomizer.config.json_schema import function_definition  # noqa: PLC0415
        from kustomizer.manifests.writer import emit  # noqa: PLC0415 - only this option needs it

        return Answer(text=emit(function_definition()))
    return Answer(text=HELP, status=EXIT_USAGE)
