"""How the command `tutor-kustomizer` starts: `build` of one overlay at once, everything else by way of click.

kustomize builds a small site in the time that click and the commands take to import.
"""

from __future__ import annotations

import os
import sys

from kustomizer.errors import UserError
from kustomizer.kustomize.build import find_and_build
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = {"-o": "output", "--output": "output", "--kustomize": "executable"}


class PlainBuild(Record):
    """`tutor-kustomizer build` with one overlay, as it is typed most."""

    overlay: str = "."
    output: str | None = None
    executable: str | None = None


def plain_build(args: Sequence[str]) -> PlainBuild | None:
    """Return what ``args`` ask for, None where click has to read them, be it to say what is wrong with them."""
    if not args or args[0] != "build":
        return None
    given: dict[str, str] = {}
    words = iter(args[1:])
    for word in words:
        if word in _OPTIONS:
            value = next(words, "")
            if not value or _OPTIONS[word] in given:
                return None
            given[_OPTIONS[word]] = value
        elif word.startswith("-") or "overlay" in given or not os.path.exists(word):  # noqa: PTH110 - 5 ms to import
            return None
        else:
            given["overlay"] = word
    return PlainBuild(**given)


def run() -> None:
    """Run the command line, and exit."""
    # With stdout or stderr closed there is nobody to talk to, and no file to write to: click knows how.
    asked = plain_build(sys.argv[1:]) if sys.stdout and sys.stderr else None
    if asked is None or "_TUTOR_KUSTOMIZER_COMPLETE" in os.environ:
        from kustomizer.cli import run as run_command  # noqa: PLC0415

        run_command()
        return
    try:
        _build(asked)
    except UserError as error:
        _say(error)
    except OSError as error:
        from kustomizer.commands.group import leave  # noqa: PLC0415

        leave(error)


def _build(asked: PlainBuild) -> None:
    built = find_and_build(asked.overlay, asked.executable)
    sys.stderr.write(built.notes)
    if asked.output is None:
        sys.stdout.buffer.write(built.data)
        sys.stdout.buffer.flush()
        return
    from pathlib import Path  # noqa: PLC0415 - most builds go to stdout

    from kustomizer.system.files import write_file  # noqa: PLC0415

    write_file(Path(asked.output), built.text)


def _say(error: UserError) -> None:
    """Tell of ``error`` the way every command does, and exit."""
    from kustomizer.commands.group import ReportingGroup  # noqa: PLC0415

    def fail() -> None:
        raise error

    ReportingGroup(callback=fail, invoke_without_command=True).main(args=[], prog_name="tutor-kustomizer")
