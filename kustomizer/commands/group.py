"""What the commands have in common as click sees them: the group, which turns errors into messages, and `-v`."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from kustomizer.errors import UserError
from kustomizer.system.command_log import set_verbose

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_ERROR = 1
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Why a device or a file system takes no more."""

_Command = TypeVar("_Command", bound="click.Command | Callable[..., object]")

NAMES = (
    "apply",
    "build",
    "check",
    "completion",
    "diff",
    "export",
    "in-flight",
    "init",
    "migrate",
    "queue",
    "queues",
    "route",
    "schema",
    "verify",
)
"""The commands, each in a module of its name."""


class ReportingGroup(click.Group):
    """A group whose commands may raise UserError: the message goes to stderr, the exit status is 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; bugs keep their traceback."""
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            # https://no-color.org; that a terminal is asked for at all, click sees to.
            ctx.color = False
        try:
            return super().invoke(ctx)
        except UserError as error:
            _fail(ctx, *error.problems)
        except OSError as error:
            if error.filename is None:
                leave(error)
            _fail(ctx, f"{error.filename}: {error.strerror}")


def _fail(ctx: click.Context, *problems: object) -> NoReturn:
    for problem in problems:
        click.echo(f"{click.style('Error:', fg='red')} {problem}", err=True)
    ctx.exit(EXIT_ERROR)


class Commands(ReportingGroup):
    """All commands of ours. Each is imported when it is asked for: what `diff` needs isn't to slow `queues` down."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return sorted([*NAMES, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, None where there is none."""
        if cmd_name not in NAMES:
            return super().get_command(ctx, cmd_name)
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"kustomizer.commands.{name}"), f"{name}_command")
        _let_be_verbose(command)
        return command


def _let_be_verbose(command: click.Command) -> None:
    """Let a command and those below it take `-v`, too: it may stand before a command or behind it."""
    if any(parameter.name == "verbose" for parameter in command.params):
        return
    more_verbose_option(command)
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _let_be_verbose(each)


def _verbose(listen: Callable[[bool], None]) -> Callable[[_Command], _Command]:
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=lambda _context, _option, value: listen(value),
        help="Tell what is run, and how long that takes.",
    )


verbose_option = _verbose(set_verbose)
more_verbose_option = _verbose(lambda value: set_verbose(True) if value else None)
"""The same option behind a command: without it, what stands before the command holds."""


def leave(error: OSError) -> NoReturn:
    """Exit where stdout can't be written to; raise what is another error."""
    if error.errno in _FULL:
        click.echo(f"{click.style('Error:', fg='red')} the output can't be written: {error.strerror}", err=True)
    elif not isinstance(error, BrokenPipeError):
        raise error
    # The reader, `head` say, has had enough, or the disk is full: Python would try once more and complain.
    sys.stderr.close()
    os._exit(EXIT_ERROR)
