"""Writes a command's messages to stderr, folded between words where that is a terminal."""

from __future__ import annotations

import sys

import click

from kustomizer.system.folding import fold_lines

NARROWEST = 40
"""The smallest number of columns to fold to: less can't be read."""


def terminal_width() -> int:
    """Return the terminal's width in columns."""
    import shutil  # noqa: PLC0415 - it brings compression, and a script's `--version` asks for no width

    return max(shutil.get_terminal_size().columns, NARROWEST)


def folded(text: str) -> str:
    """Return ``text``, folded if stderr is a terminal."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return fold_lines(text, terminal_width()) if is_terminal else text


def say(text: str, *, label: str = "", colour: str = "yellow") -> None:
    """Write ``text`` to stderr, behind a coloured ``label``."""
    head = f"{label}: " if label else ""
    whole = folded(head + text)
    if label:
        whole = click.style(f"{label}:", fg=colour) + whole[len(label) + 1 :]
    click.echo(whole, err=True)


def pass_on(notes: str) -> None:
    """Write the messages of another program, if there are any; the last line may end with a line break."""
    if notes:
        say(notes.removesuffix("\n"))
