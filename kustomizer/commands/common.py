"""Options and helpers that several commands share."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from kustomizer.commands.talk import say, terminal_width
from kustomizer.errors import UserError
from kustomizer.findings.ignores import IGNORE_FILE
from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.kustomize.programs import permissions
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resources
from kustomizer.system.files import read_text
from kustomizer.system.processes import Limits
from kustomizer.tutor_env.staleness import stale_envs

EXIT_FINDINGS = 3
"""The exit status of a command that looked, and found something."""
_WIDEST = 10_000

_Command = TypeVar("_Command", bound="Callable[..., None]")

A_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
A_DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)

_NAMES = ("executable", "programs", "remote", "outside", "seconds", "megabytes")
_KUSTOMIZE_OPTIONS = (
    click.option("--kustomize", "executable", metavar="PATH", help="The kustomize to run, instead of the one on PATH."),
    click.option(
        "--allow-exec",
        "programs",
        metavar="PROGRAM",
        multiple=True,
        help="Let the build run PROGRAM, too. May be repeated.",
    ),
    click.option("--allow-remote", "remote", is_flag=True, help="Let the build fetch what isn't on this machine."),
    click.option(
        "--allow-outside", "outside", is_flag=True, help="Let the build use directories outside of its Git checkout."
    ),
    click.option(
        "--time-limit",
        "seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        default=Limits().seconds,
        help=f"How long a build may take. Default: {Limits().seconds:g}.",
    ),
    click.option(
        "--output-limit",
        "megabytes",
        type=click.FloatRange(min=0, min_open=True),
        metavar="MEGABYTES",
        default=Limits().megabytes,
        help=f"How much a build may print. Default: {Limits().megabytes:g}.",
    ),
)
site_argument = click.argument("site", type=click.Path(path_type=Path, exists=True), default=".")
ignore_file_option = click.option(
    "--ignore-file", type=A_FILE, help=f"What not to show (default: {IGNORE_FILE} in this directory or the overlay)."
)


def output_option(*forms: str) -> Callable[[_Command], _Command]:
    """Return the option that says in which of ``forms`` a result is printed; by default it is text."""
    return click.option("-o", "--output", type=click.Choice(forms), default="text", help="How it is printed.")


def tutor_root_option(*, required: bool) -> Callable[[_Command], _Command]:
    """Return the option that names Tutor's root."""
    text = "Tutor's root, as `tutor config printroot` prints it."
    return click.option("--tutor-root", type=A_DIRECTORY, envvar="TUTOR_ROOT", required=required, help=text)


def kustomize_option(command: _Command) -> _Command:
    """Add the options of how a site is built. The command gets them as ``wanted``."""

    @functools.wraps(command)
    def with_wanted(*args: Any, **options: Any) -> None:
        values = {name: options.pop(name) for name in _NAMES}
        wanted = Wanted(
            executable=values["executable"],
            permissions=permissions(values["programs"], remote=values["remote"], outside=values["outside"]),
            limits=Limits(seconds=values["seconds"], megabytes=values["megabytes"]),
        )
        command(*args, wanted=wanted, **options)

    decorated: Any = with_wanted
    for option in reversed(_KUSTOMIZE_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def built_file(path: Path) -> tuple[str, Resources]:
    """Return a built site's text and resources. Raises UserError where ``path`` can't be read, or holds none."""
    text = read_text(path)
    try:
        resources = read_build(text)
    except UserError as error:
        raise error.within(path) from None
    if not list(resources):
        # The build failed.
        raise UserError.of(f"{path} holds no object", remedy="Build the site into it again")
    return text, resources


def site_resources(site: Path, wanted: Wanted, *, needs_function: bool = True) -> Resources:
    """Return the resources of ``site``, a built file or an overlay. Raises UserError where it can't be built."""
    if site.is_dir():
        built = build(site, find_kustomize(wanted), needs_function=needs_function)
        say_stale(built.directories)
        return built.resources()
    return built_file(site)[1]


def say_stale(directories: Iterable[str]) -> None:
    """Say which of the directories of a build are an env/ that Tutor would write otherwise now."""
    for stale in stale_envs(directories):
        say(f"{stale.severity}: {stale}")


def ask(question: str, *, undone: str, remedy: str) -> None:
    """Ask on the terminal. Raises UserError, which says what was left ``undone``, without a yes or a terminal."""
    if not sys.stdin.isatty():
        raise UserError.of(f"{undone}: there is no terminal to ask on", remedy=remedy)
    if not click.confirm(question, err=True):
        raise UserError.of(undone)


def program() -> str:
    """Return how the user has started this: beside a Tutor that isn't on PATH our own command isn't there either."""
    return "tutor kustomizer" if click.get_current_context().find_root().info_name == "tutor" else "tutor-kustomizer"


def table_width() -> int:
    """Return the columns that a table may have: the terminal's, or any number where a program reads it."""
    return terminal_width() if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDEST


def wants_colour(ctx: click.Context) -> bool:
    """Tell whether standard output takes colour; ``ctx.color`` is the choice of the user's environment."""
    return sys.stdout.isatty() if ctx.color is None else ctx.color
