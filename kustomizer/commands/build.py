"""`tutor-kustomizer build`: runs kustomize with the right flags, and fails where the function did not run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from pathlib import Path

import click

from kustomizer.commands.common import A_DIRECTORY, kustomize_option, say_stale
from kustomizer.commands.talk import pass_on, say
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build import BuildOutput, build
from kustomizer.kustomize.executable import Kustomize, Wanted, find_kustomize
from kustomizer.kustomize.fields import is_kustomization
from kustomizer.system.files import PRIVATE, make_directory, write_file
from kustomizer.system.threads import threads

STDOUT = Path("-")


@click.command("build", short_help="Build overlays with kustomize and the function.")
@click.argument("overlays", metavar="[OVERLAY]...", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--all", "parent", metavar="DIR", type=A_DIRECTORY, help="Build each overlay in DIR.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write, - for standard output; for several overlays, a DIR.",
)
@kustomize_option
def build_command(overlays: tuple[Path, ...], parent: Path | None, output: Path | None, wanted: Wanted) -> None:
    """Build each OVERLAY (default: this directory) with kustomize and the function.

    A built site holds passwords: only its owner may read the file. Several overlays are built at the same time, each
    into a file of its name.
    """
    inside = sorted(filter(is_kustomization, parent.iterdir())) if parent else []
    if parent and not inside:
        raise UserError.of(f"{parent} holds no overlay", remedy="Name the directory that they are in")
    chosen = [*overlays, *inside] or [Path()]
    kustomize = find_kustomize(wanted)
    if len(chosen) == 1 and parent is None:
        if output is None and sys.stdout and sys.stdout.isatty():
            raise click.UsageError("a built site holds passwords: name a file with -o, or print it with -o -")
        built = build(chosen[0], kustomize)
        pass_on(built.messages)
        say_stale(built.directories)
        if output is None or output == STDOUT:
            click.echo(built.text, nl=False)
        else:
            write_file(output, built.text, mode=PRIVATE)
        return
    if output is None or output == STDOUT:
        raise click.UsageError("several overlays need --output, the directory to write them into")
    sites = build_all(chosen, kustomize)
    for line in write_all(sites, output):
        say(line)
    say_stale(dict.fromkeys(directory for built in sites.values() for directory in built.directories))


def build_all(overlays: Sequence[Path], kustomize: Kustomize) -> Mapping[Path, BuildOutput]:
    """Build ``overlays`` at the same time. Raises UserError with the problems of all of them."""
    names = [_name(overlay) for overlay in overlays]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError.of(f"two of the overlays are named {', '.join(twice)}: their files would be one")
    outputs: dict[Path, BuildOutput] = {}
    problems: list[Problem] = []
    with threads(os.cpu_count() or 1) as pool:
        running = {pool.submit(build, overlay, kustomize): overlay for overlay in overlays}
        with click.progressbar(
            as_completed(running),
            length=len(running),
            label="Building",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
        ) as finished:
            for future in finished:
                try:
                    outputs[running[future]] = future.result()
                except UserError as error:
                    problems += error.problems
    if problems:
        raise UserError(*sorted(problems, key=str))
    return {overlay: outputs[overlay] for overlay in overlays}


def write_all(built: Mapping[Path, BuildOutput], directory: Path) -> list[str]:
    """Write each site into a file of its overlay's name; return the messages about them."""
    make_directory(directory)
    lines = []
    for overlay, site in built.items():
        path = directory / f"{_name(overlay)}.yaml"
        write_file(path, site.text, mode=PRIVATE)
        lines += [f"{overlay}: {note}" for note in site.messages.splitlines()]
        lines.append(f"Wrote {path}")
    return lines


def _name(overlay: Path) -> str:
    return overlay.resolve().name
