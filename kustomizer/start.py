"""Starts the command `tutor-kustomizer`: `--version` and `build` of one overlay without click, all else with it.

kustomize builds a small site in the time that click and the commands take to import.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = {"-o": "output", "--output": "output", "--kustomize": "executable"}


class PlainBuild:
    """The arguments of `tutor-kustomizer build` with one overlay."""

    def __init__(self, *, overlay: str = ".", output: str | None = None, executable: str | None = None) -> None:
        self.overlay = overlay
        self.output = output
        self.executable = executable


def plain_build(args: Sequence[str]) -> PlainBuild | None:
    """Return what ``args`` ask for, or None where click has to read them or has to report what is wrong with them."""
    if not args or args[0] != "build":
        return None
    options: dict[str, str] = {}
    words = iter(args[1:])
    for word in words:
        if word in _OPTIONS:
            value = next(words, "")
            if not value or _OPTIONS[word] in options:
                return None
            options[_OPTIONS[word]] = value
        elif word.startswith("-") or "overlay" in options or not os.path.exists(word):  # noqa: PTH110 - 5 ms to import
            return None
        else:
            options["overlay"] = word
    return PlainBuild(**options)


def run() -> None:
    """Run the command line, and exit."""
    try:
        _run()
    except KeyboardInterrupt:
        from kustomizer.system.interrupt import interrupted  # noqa: PLC0415

        interrupted()


def _run() -> None:
    build = plain_build(sys.argv[1:])
    is_ours = sys.argv[1:] == ["--version"] and bool(sys.stdout) if build is None else _is_for_a_file(build)
    if "_TUTOR_KUSTOMIZER_COMPLETE" in os.environ or not is_ours:
        from kustomizer.cli import run as run_command  # noqa: PLC0415

        run_command()
        return
    from kustomizer.errors import UserError  # noqa: PLC0415 - Ctrl-C is heeded before anything is imported

    try:
        if build is None:
            _say_version()
        else:
            _build(build)
    except UserError as error:
        _report(error)
    except OSError as error:
        from kustomizer.commands.group import leave  # noqa: PLC0415

        leave(error)


def _say_version() -> None:
    from kustomizer import __version__  # noqa: PLC0415

    sys.stdout.write(f"tutor-kustomizer, version {__version__}\n")
    sys.stdout.flush()


def _is_for_a_file(build: PlainBuild) -> bool:
    """Tell whether the output goes to a file or a program. click reports a closed stdout, and protects a terminal."""
    return bool(sys.stdout and sys.stderr) and (build.output is not None or not sys.stdout.isatty())


def _build(build: PlainBuild) -> None:
    from kustomizer.kustomize.build import find_and_build  # noqa: PLC0415
    from kustomizer.kustomize.executable import Wanted  # noqa: PLC0415
    from kustomizer.kustomize.programs import permissions  # noqa: PLC0415

    built = find_and_build(build.overlay, Wanted(executable=build.executable, permissions=permissions()))
    from kustomizer.tutor_env.staleness import stale_envs  # noqa: PLC0415

    messages = built.messages + "".join(f"{stale.severity}: {stale}\n" for stale in stale_envs(built.directories))
    if messages and sys.stderr.isatty():
        from kustomizer.commands.talk import pass_on  # noqa: PLC0415 - with click; most builds say nothing

        pass_on(messages)
    else:
        sys.stderr.write(messages)
    if build.output in (None, "-"):
        sys.stdout.buffer.write(built.data)
        sys.stdout.buffer.flush()
        return
    from pathlib import Path  # noqa: PLC0415 - most builds go to stdout

    from kustomizer.system.files import PRIVATE, write_file  # noqa: PLC0415

    write_file(Path(str(build.output)), built.text, mode=PRIVATE)


def _report(error: Exception) -> None:
    """Report ``error`` as every command does, and exit."""
    from kustomizer.commands.group import ReportingGroup  # noqa: PLC0415

    def fail() -> None:
        raise error

    ReportingGroup(callback=fail, invoke_without_command=True).main(args=[], prog_name="tutor-kustomizer")
