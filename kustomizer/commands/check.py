"""`tutor-kustomizer check`: what is wrong with a site that was built, rule by rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kustomizer.commands.common import kustomize_option, terminal_width
from kustomizer.commands.rule_pages import pages
from kustomizer.diff.rules import OWN_RULES
from kustomizer.findings.github import findings_github, without_commands
from kustomizer.findings.json import findings_json
from kustomizer.findings.model import SEVERITIES, reaches
from kustomizer.findings.sarif import findings_sarif
from kustomizer.findings.source import Source, file_source, overlay_source
from kustomizer.findings.text import findings_text
from kustomizer.kustomize.build import build
from kustomizer.kustomize.built_file import BuiltFile
from kustomizer.kustomize.executable import find_kustomize
from kustomizer.record import Record
from kustomizer.rules import RULES, check
from kustomizer.site.model import Site
from kustomizer.system.files import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.findings.model import Finding
    from kustomizer.kustomize.executable import Wanted

EXIT_FINDINGS = 3


class Checked(Record):
    """What was found, and where it stands."""

    findings: Sequence[Finding]
    source: Source


def _explain(ctx: click.Context, _option: click.Parameter, rule: str | None) -> None:
    if rule is not None:
        click.echo((RULES.get(rule) or OWN_RULES[rule]).page, nl=False)
        ctx.exit()


def _write_pages(ctx: click.Context, _option: click.Parameter, directory: Path | None) -> None:
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in pages().items():
            write_file(directory / name, text)
        ctx.exit()


@click.command("check", short_help="Say what is wrong with a site.")
@click.argument("site", type=click.Path(path_type=Path, exists=True), default=".")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 3 where a finding is as bad as this.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json", "sarif", "github"]), default="text", help="How it is printed."
)
@click.option(
    "--explain",
    type=click.Choice([*RULES, *OWN_RULES]),
    metavar="RULE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Print the rule's page and exit.",
)
@click.option(
    "--write-pages",
    type=click.Path(path_type=Path, file_okay=False),
    hidden=True,
    is_eager=True,
    expose_value=False,
    callback=_write_pages,
)
@kustomize_option
@click.pass_context
def check_command(ctx: click.Context, *, site: Path, fail_on: str | None, output: str, wanted: Wanted) -> None:
    """Say what is wrong with SITE: an overlay (default: this directory), or a file that was built."""
    checked = check_file(site) if site.is_file() else check_overlay(site, wanted)
    text = render(checked, output, terminal_width())
    if text:
        click.echo(text)
    if fail_on is not None and reaches(checked.findings, fail_on):
        ctx.exit(EXIT_FINDINGS)


def check_file(path: Path) -> Checked:
    """Return what is found in a file that was built."""
    built = BuiltFile(path)
    return Checked(findings=check(Site(built.resources)), source=file_source(path, built.text, built.resources))


def check_overlay(overlay: Path, wanted: Wanted) -> Checked:
    """Build ``overlay`` and return what is found in it; a build that skipped the function has findings, too."""
    built = build(overlay, find_kustomize(wanted), needs_function=False)
    click.echo(built.notes, nl=False, err=True)
    return Checked(findings=check(Site(built.resources())), source=overlay_source(overlay))


def render(checked: Checked, output: str, width: int) -> str:
    """Return the findings in the form ``output``; empty where that form has nothing to say."""
    if output == "json":
        return findings_json(checked.findings)
    if output == "sarif":
        return findings_sarif(checked.findings, RULES, checked.source)
    if output == "github":
        return findings_github(checked.findings, checked.source)
    return without_commands(findings_text(checked.findings, width))
