"""The group of the commands: it turns errors into messages and exit statuses, and gives each command `-v`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click

from kustomizer.commands.talk import say
from kustomizer.errors import UserError
from kustomizer.system.command_log import set_verbose
from kustomizer.system.interrupt import interrupted
from kustomizer.system.visible import harmless

EXIT_ERROR = 1
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""Errors of a full disk, a broken device and a closed stdout."""

_Command = TypeVar("_Command", bound="click.Command | Callable[..., object]")

NAMES = (
    "advise",
    "apply",
    "build",
    "check",
    "completion",
    "diff",
    "export",
    "in-flight",
    "init",
    "leftovers",
    "migrate",
    "queue",
    "queues",
    "route",
    "schema",
    "tasks",
    "verify",
)
"""The names of the commands; each is in a module of its name."""


class ReportingGroup(click.Group):
    """A group whose commands may raise UserError: the message goes to stderr, the exit status is 1."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the command line; `--help` prints here."""
        if sys.stdout is None:
            # Closed: each write is to be an error.
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
        return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; bugs keep their traceback."""
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            # https://no-color.org; that a terminal is asked for at all, click sees to.
            ctx.color = False
        try:
            return super().invoke(ctx)
        except UserError as error:
            _fail(ctx, *error.problems)
        except KeyboardInterrupt:
            interrupted()
        except click.Abort as error:
            # click raises it for Ctrl-C at a question, and for the answer no.
            if isinstance(error.__context__, KeyboardInterrupt):
                interrupted()
            raise
        except OSError as error:
            if error.filename is None:
                leave(error)
            _fail(ctx, f"{error.filename}: {error.strerror}")


def _fail(ctx: click.Context, *problems: object) -> NoReturn:
    from kustomizer.findings.github import without_commands  # noqa: PLC0415 - Tutor imports plugins at each start

    for problem in problems:
        say(without_commands(harmless(str(problem))), label="Error", colour="red")
    ctx.exit(EXIT_ERROR)


class Commands(ReportingGroup):
    """All commands. Each is imported only when it is run: the imports of `diff` would slow down `queues`."""

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
    """Add `-v` to a command and its subcommands, so that it may come before or after the command."""
    if any(parameter.name == "verbose" for parameter in command.params):
        return
    more_verbose_option(command)
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        _let_be_verbose(subcommand)


def _verbose(listen: Callable[[bool], None]) -> Callable[[_Command], _Command]:
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=lambda _context, _option, value: listen(value),
        help="Show the programs that are run, and how long each takes.",
    )


verbose_option = _verbose(set_verbose)
more_verbose_option = _verbose(lambda value: set_verbose(True) if value else None)
"""The same option after a command; where it is missing, the one before the command counts."""


def leave(error: OSError) -> NoReturn:
    """Exit where stdout can't be written to; raise any other error."""
    if error.errno in _UNWRITABLE:
        click.echo(f"{click.style('Error:', fg='red')} the output can't be written: {error.strerror}", err=True)
    elif not isinstance(error, BrokenPipeError):
        raise error
    # The reader, such as `head`, has stopped, or the disk is full. Python would try to write once more and complain.
    sys.stderr.close()
    os._exit(EXIT_ERROR)
