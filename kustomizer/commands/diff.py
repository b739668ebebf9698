"""`tutor-kustomizer diff`: compares two builds in words, with secrets masked."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from kustomizer.commands.common import A_DIRECTORY, EXIT_FINDINGS, ignore_file_option, kustomize_option, wants_colour
from kustomizer.commands.talk import pass_on, terminal_width
from kustomizer.diff.compare import comparison
from kustomizer.diff.findings import RULES
from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.text import text_report
from kustomizer.diff.sources import STDIN, ComparedBuild, RevisionOptions, read_both, read_revision, with_file
from kustomizer.errors import UserError
from kustomizer.findings.github import without_commands
from kustomizer.findings.ignores import ignores_of
from kustomizer.findings.locations import Locations
from kustomizer.findings.model import SEVERITIES, reaches
from kustomizer.kustomize.executable import find_kustomize
from kustomizer.kustomize.fields import is_kustomization
from kustomizer.system.files import write_file
from kustomizer.system.processes import own_program
from kustomizer.tutor_env.staleness import stale_envs

EXIT_CHANGES = 2
EXIT_USAGE = 64
"""EX_USAGE of sysexits.h, since click's 2 has another meaning here."""

_FORMS = ("text", "markdown", "json", "github", "html")


class _UsageError(click.UsageError):
    exit_code = EXIT_USAGE


class _Command(click.Command):
    """A command whose exit status is 64 for a wrong option."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*args, **options)
        except click.UsageError as error:
            raise _UsageError(error.format_message(), error.ctx) from None


def _targets(ctx: click.Context, option: click.Parameter, values: Sequence[str]) -> list[tuple[str, Path]]:
    """Return the form and the path of each FORMAT=FILE."""
    targets = []
    for value in values:
        form, equals, path = value.partition("=")
        if form not in _FORMS or not equals or not path:
            forms = ", ".join(_FORMS)
            raise click.BadParameter(f"{value!r} is not FORMAT=FILE, with {forms} as FORMAT", ctx, option)
        targets.append((form, Path(path)))
    return targets


@click.command("diff", cls=_Command, short_help="Say what changes between two builds.")
@click.argument("before", metavar="[A]", required=False)
@click.argument("after", metavar="[B]", required=False)
@click.option("--base", metavar="REF", help="Compare the overlay A (default: this directory) with itself at REF.")
@click.option(
    "--base-tutor-root", type=A_DIRECTORY, metavar="DIR", help="With --base: the Tutor root whose env/ is REF's."
)
@click.option("--render", is_flag=True, help="With --base: run `tutor config save` for both sides.")
@click.option("--allow-render", is_flag=True, help="Let --render run templates that the base doesn't have.")
@click.option("--tutor", metavar="PATH", help="The tutor to run, instead of the one beside this command or on PATH.")
@click.option("-o", "--output", type=click.Choice(_FORMS), default="text", help="What goes to standard output.")
@click.option(
    "--write",
    "targets",
    metavar="FORMAT=FILE",
    multiple=True,
    callback=_targets,
    help="Write a file, too. May be repeated.",
)
@ignore_file_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where something changes.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 3 where a finding is as bad as this.")
@click.option("--full", is_flag=True, help="Show added and destroyed objects, and long values, whole.")
@click.option("--limit", type=click.IntRange(min=2000), metavar="N", help="The most characters that markdown may have.")
@click.option("--key", default="default", help="A name that tells the markdown of several sites apart.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to colour.")
@kustomize_option
@click.pass_context
def diff_command(ctx: click.Context, /, **options: Any) -> None:
    """Say what changes between A and B: overlays, built files, or directories of manifests.

    With --base REF, between an overlay at that Git revision and in the working tree. Nothing is asked of a cluster.
    """
    try:
        _compare(ctx, **options)
    except UserError as error:
        if options["output"] == "github":
            from kustomizer.diff.reports.github import refusal  # noqa: PLC0415 - see _report()

            click.echo(refusal(error, _locations(**options)), nl=False)
        raise


def _compare(ctx: click.Context, **options: Any) -> None:
    """Compare, print and write the reports, and exit with their status."""
    sources = _sources(ctx, **options)
    for source in sources:
        pass_on(without_commands(source.notes))
    if not list(sources[1].resources):
        # A build that failed left it empty. Before, there may have been no site.
        raise UserError.of(f"{sources[1].label} holds no object", remedy="Build the site into it again")
    header = [f"before: {sources[0].label}", f"after:  {sources[1].label}"]
    overlay = Path(options["before"]) if options["before"] else None
    ignores = ignores_of(options["ignore_file"], overlay, RULES)
    try:
        compared = comparison(
            sources[0].resources,
            sources[1].resources,
            ignores=ignores,
            warnings=(sources[0].warnings, sources[1].warnings),
            # What was saved for the build before is past; and what --render has written is fresh, and gone by now.
            stale=list(stale_envs(sources[1].directories)),
        )
    except UserError as error:
        raise with_file(error, sources) from None
    for form, path in options["targets"]:
        write_file(path, _report(form, compared, header, options))
    if options["output"] == "text":
        colour = wants_colour(ctx) if options["color"] == "auto" else options["color"] == "always"
        text = text_report(compared, header=header, width=terminal_width(), colour=colour, full=options["full"])
        click.echo(text, nl=False, color=colour)
    else:
        click.echo(_report(options["output"], compared, header, options), nl=False)
    if options["fail_on"] and reaches(compared.findings, options["fail_on"]):
        ctx.exit(EXIT_FINDINGS)
    if options["detailed_exitcode"] and not compared.is_empty:
        ctx.exit(EXIT_CHANGES)


def _sources(ctx: click.Context, **options: Any) -> tuple[ComparedBuild, ComparedBuild]:
    """Return the two builds that the command line names. Raises _UsageError where its options don't fit together."""

    # Two files need no kustomize.
    find = functools.partial(find_kustomize, options["wanted"])
    before, after, base = options["before"], options["after"], options["base"]
    if base is None:
        for name in ("base_tutor_root", "render", "allow_render", "tutor"):
            if options[name]:
                raise _UsageError(f"--{name.replace('_', '-')} needs --base", ctx)
        if before is None or after is None:
            raise _UsageError("name two builds, A and B, or a revision with --base", ctx)
        if before == after == STDIN:
            raise _UsageError("only one of the two can be read from standard input", ctx)
        return read_both(before, after, find)
    if after is not None:
        raise _UsageError("--base compares one overlay with itself: leave B out", ctx)
    if options["base_tutor_root"] and options["render"]:
        raise _UsageError("--base-tutor-root and --render exclude each other", ctx)
    overlay = Path(before or ".")
    if not overlay.is_dir():
        raise _UsageError(f"{overlay} is no directory: --base builds an overlay", ctx)
    revision_options = RevisionOptions(
        revision=base,
        overlay=overlay,
        base_tutor_root=options["base_tutor_root"],
        render=options["render"],
        allow_render=options["allow_render"],
        tutor=options["tutor"] or own_program("tutor"),
    )
    return read_revision(revision_options, find)


def _locations(**options: Any) -> Locations | None:
    """Return where the build after is written, where it is an overlay's."""
    after = Path(options["after"] or options["before"] or ".")
    if not after.is_dir() or not is_kustomization(after):
        return None
    from kustomizer.overlay.places import overlay_locations  # noqa: PLC0415 - ruamel.yaml takes long to import

    return overlay_locations(after)


def _report(form: str, compared: Comparison, header: Sequence[str], options: Mapping[str, Any]) -> str:
    full = options["full"]
    # Each takes some milliseconds to import, and one is wanted.
    if form == "markdown":
        from kustomizer.diff.reports.markdown import markdown_report  # noqa: PLC0415

        return markdown_report(compared, header=header, key=options["key"], limit=options["limit"], full=full)
    if form == "json":
        from kustomizer.diff.reports.json import json_report  # noqa: PLC0415

        return json_report(compared, header=header)
    if form == "github":
        from kustomizer.diff.reports.github import github_report  # noqa: PLC0415

        return github_report(compared, _locations(**options))
    if form == "html":
        from kustomizer.diff.reports.html import html_report  # noqa: PLC0415

        return html_report(compared, header=header)
    return text_report(compared, header=header, full=full)
