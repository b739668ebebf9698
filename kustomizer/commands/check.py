"""`tutor-kustomizer check`: looks for problems in a built site, rule by rule."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

import click

from kustomizer.commands.common import (
    A_FILE,
    EXIT_FINDINGS,
    built_file,
    ignore_file_option,
    kustomize_option,
    output_option,
    site_argument,
)
from kustomizer.commands.talk import pass_on, terminal_width
from kustomizer.diff.findings import OWN_RULES, RULES as DIFF_RULES
from kustomizer.errors import UserError
from kustomizer.findings.github import findings_github, without_commands
from kustomizer.findings.ignores import Ignore, Ignored, ignores_of, without_ignored
from kustomizer.findings.json import findings_json
from kustomizer.findings.locations import Locations, file_locations
from kustomizer.findings.model import SEVERITIES, Finding, reaches
from kustomizer.findings.text import findings_text, ignored_text
from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.record import Record
from kustomizer.rules.refused_build import refusal
from kustomizer.rules.registry import BRIEF, FOR_FLUX, FOR_TASKS, RULES, findings_of
from kustomizer.site.model import Site
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.task_file import FILE, read_tasks, saved_tasks
from kustomizer.tutor_env.staleness import stale_envs


class Checked(Record):
    """The findings, those that are set aside, and the file that they point to."""

    findings: Sequence[Finding]
    locations: Locations
    ignored: Sequence[Ignored] = ()


def _explain(ctx: click.Context, _option: click.Parameter, rule: str | None) -> None:
    if rule is not None:
        click.echo((RULES.get(rule) or OWN_RULES[rule]).page, nl=False)
        ctx.exit()


@click.command("check", short_help="Look for problems in a site.")
@site_argument
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 3 where a finding is as bad as this.")
@output_option("text", "json", "sarif", "github")
@click.option(
    "--explain",
    type=click.Choice([*RULES, *OWN_RULES]),
    metavar="RULE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Print the rule's page and exit.",
)
@click.option("--flux", is_flag=True, help="Look for what Flux's postBuild substitution would change, too.")
@click.option(
    "--tasks",
    "task_file",
    type=A_FILE,
    metavar="FILE",
    help=f"What `tasks --save` wrote (default: {FILE} in the overlay).",
)
@ignore_file_option
@kustomize_option
@click.pass_context
def check_command(
    ctx: click.Context,
    *,
    site: Path,
    fail_on: str | None,
    output: str,
    flux: bool,
    task_file: Path | None,
    ignore_file: Path | None,
    wanted: Wanted,
) -> None:
    """Look for problems in SITE: an overlay (default: this directory), or a built file."""
    try:
        ignores = ignores_of(ignore_file, site if site.is_dir() else None, DIFF_RULES)
        tasks = read_tasks(task_file) if task_file else saved_tasks(site)
        checked = _checked(site, wanted, for_flux=flux, tasks=tasks)
        unused = (() if flux else FOR_FLUX), (FOR_TASKS if tasks is None else ())
        checked = set_aside(checked, ignores, RULES.keys() - set().union(*unused))
    except UserError as error:
        if output != "text":
            click.echo(render(refused(error, site), output, terminal_width()))
        raise
    text = render(checked, output, terminal_width())
    if text:
        click.echo(text)
    if fail_on is not None and reaches(checked.findings, fail_on):
        ctx.exit(EXIT_FINDINGS)


def _checked(path: Path, wanted: Wanted, *, for_flux: bool, tasks: SiteTasks | None) -> Checked:
    """Return the findings of a built file, or of an overlay, which is built without the function, too."""
    if path.is_file():
        text, resources = built_file(path)
        site = Site(resources, for_flux=for_flux, tasks=tasks)
        return Checked(findings=findings_of(site), locations=file_locations(path, text, resources))
    built = build(path, find_kustomize(wanted), needs_function=False)
    pass_on(built.other_notes)
    stale = list(stale_envs(built.directories))
    site = Site(built.resources(), built.problems, stale, for_flux=for_flux, tasks=tasks)
    return Checked(findings=findings_of(site), locations=_overlay_locations(path))


def refused(error: UserError, site: Path) -> Checked:
    """Return the reasons why ``site`` can't be looked at as findings."""
    locations = _overlay_locations(site) if site.is_dir() else file_locations(site, "", [])
    return Checked(findings=refusal(error), locations=locations)


def _overlay_locations(overlay: Path) -> Locations:
    from kustomizer.overlay.places import overlay_locations  # noqa: PLC0415 - ruamel.yaml takes long to import

    return overlay_locations(overlay)


def set_aside(checked: Checked, ignores: Sequence[Ignore], rules: Container[str]) -> Checked:
    """Return what is left without what ``ignores`` match; an entry for one of ``rules`` that finds nothing is stale."""
    findings, matched = without_ignored(checked.findings, ignores)
    ignored = [
        entry.replace(is_stale=not entry.findings and ignore.rule in rules)
        for ignore, entry in zip(ignores, matched, strict=True)
        # The others weren't looked for: they are about changes, or for Flux.
        if entry.findings or ignore.rule in rules
    ]
    return checked.replace(findings=findings, ignored=ignored)


def render(checked: Checked, output: str, width: int) -> str:
    """Return the findings in the form ``output``, which may be empty without findings."""
    if output == "json":
        return findings_json(checked.findings, checked.ignored)
    if output == "sarif":
        from kustomizer.findings.sarif import findings_sarif  # noqa: PLC0415 - with hashlib, and few want it

        return findings_sarif(checked.findings, RULES, checked.locations)
    if output == "github":
        return findings_github(checked.findings, checked.locations, BRIEF)
    return without_commands(
        "\n".join([findings_text(checked.findings, width, BRIEF), *ignored_text(checked.ignored, width)])
    )
