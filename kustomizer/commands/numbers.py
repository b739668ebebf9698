"""Options of the commands that take numbers from Prometheus or from Flower, and reading these numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from kustomizer.cluster.flower import flower_numbers
from kustomizer.cluster.prometheus import Prometheus
from kustomizer.cluster.web import Server, server
from kustomizer.commands.talk import say
from kustomizer.system.wording import joined
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.numbers import DAY, HOUR, Measured, Numbers

Found = tuple[Measured, Mapping[tuple[str, str], Numbers]]
Command = Callable[..., None]

_UNITS = {"h": HOUR, "d": DAY, "w": 7 * DAY}
_SHOWN = 5


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", value)
    if found is None:
        raise click.BadParameter(f"{value!r} isn't a time like 12h, 7d or 2w", ctx, param)
    return int(found[1]) * _UNITS[found[2]]


def number_options(command: Command) -> Command:
    """Add the options that say where numbers are from."""
    for option in (
        click.option(
            "--ca",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Certificates of the authorities that https trusts, in PEM.",
        ),
        click.option(
            "--window", callback=_seconds, default="7d", metavar="TIME", help="How far to look back. Default: 7d."
        ),
        click.option("--flower", metavar="URL", help="Ask Flower itself what it remembers."),
        click.option("--prometheus", metavar="URL", help="Ask a Prometheus that scrapes Flower."),
    ):
        command = option(command)
    return command


def asks_for_numbers(options: Mapping[str, Any]) -> bool:
    """Tell whether the options name somebody to ask. Raises UsageError where they name two."""
    if options["prometheus"] is not None and options["flower"] is not None:
        raise click.UsageError("Name --prometheus or --flower.")
    return options["prometheus"] is not None or options["flower"] is not None


def measure(options: Mapping[str, Any], namespace: str) -> Found | None:
    """Return what the options ask for, by service and task. Raises UserError where it can't be had."""
    if options["prometheus"] is not None:
        return Prometheus(_server(options, "prometheus"), namespace=namespace, window=options["window"]).numbers()
    if options["flower"] is not None:
        return flower_numbers(_server(options, "flower"), window=options["window"])
    return None


def with_numbers(known: SiteTasks, found: Found) -> SiteTasks:
    """Return the tasks with what was measured, and say what ran and isn't among them."""
    tasks, unknown = known.with_numbers(*found)
    if unknown:
        listed = joined(sorted(set(unknown)), most=_SHOWN)
        say(f"Ran, and isn't registered in what was asked: {listed}")
    return tasks


def _server(options: Mapping[str, Any], name: str) -> Server:
    variable = f"{name.upper()}_CREDENTIALS"
    return server(
        options[name],
        name=name.capitalize(),
        option=f"--{name}",
        credentials=(variable, os.environ.get(variable, "").strip("\r\n")),
        ca=options["ca"],
    )
