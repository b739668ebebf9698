"""`tutor-kustomizer apply`: builds an overlay, shows what it changes in the cluster, asks, and applies it."""

from __future__ import annotations

from pathlib import Path

import click

from kustomizer.cluster.apply import apply, preview
from kustomizer.cluster.kubectl import find_kubectl
from kustomizer.commands.common import ask, built_file, kustomize_option, say_stale, wants_colour
from kustomizer.commands.talk import pass_on, say, terminal_width
from kustomizer.diff.compare import comparison
from kustomizer.diff.reports.text import text_report
from kustomizer.kustomize.build import BuildOutput, build
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.kustomize.split_env import split_directory
from kustomizer.openedx.template_jobs import is_template_job


@click.command("apply", short_help="Show what an overlay changes in the cluster, ask, and apply it.")
@click.argument("overlay", type=click.Path(path_type=Path, exists=True), default=".")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option(
    "--force-conflicts", is_flag=True, help="Take over fields that others own. Tutor's are taken over anyway."
)
@click.option("--kubeconfig", metavar="FILE", default="", help="kubectl's configuration, as for kubectl.")
@click.option("--context", metavar="NAME", default="", help="The cluster's context, as for kubectl.")
@click.option("--kubectl", metavar="PATH", help="The kubectl to run, instead of the one on PATH.")
@kustomize_option
@click.pass_context
def apply_command(
    ctx: click.Context,
    *,
    overlay: Path,
    yes: bool,
    dry_run: bool,
    force_conflicts: bool,
    kubeconfig: str,
    context: str,
    kubectl: str | None,
    wanted: Wanted,
) -> None:
    """Build OVERLAY (default: this directory), show what it changes in the cluster, ask, and apply it.

    It is applied server-side. OVERLAY may also be a built file. Objects that are in the
    cluster and not in the build stay.
    """
    runner = find_kubectl(kubectl, context=context, kubeconfig=kubeconfig)
    text = _built_text(overlay, wanted)
    previewed = preview(runner, text, force=force_conflicts)
    compared = comparison(previewed.before, previewed.after)
    where = f"the cluster of the context {context}" if context else "the cluster"
    header = [f"before: {where}", f"after:  {overlay}"]
    click.echo(text_report(compared, header=header, width=terminal_width(), colour=wants_colour(ctx)), nl=False)
    if compared.is_empty or dry_run:
        return
    if not yes:
        ask(f"Apply this to {where}?", undone="nothing was applied", remedy="To apply unasked: --yes")
    for line in apply(runner, text, force=previewed.force).splitlines():
        say(line)


def _built_text(overlay: Path, wanted: Wanted) -> str:
    if overlay.is_file():
        return built_file(overlay)[0]
    built = build(overlay, find_kustomize(wanted))
    pass_on(built.messages)
    say_stale(built.directories)
    return built.text if split_directory(overlay) is None else _without_template_jobs(built)


def _without_template_jobs(built: BuildOutput) -> str:
    """Return an env/ that holds the split as Tutor applies it."""
    resources = list(built.resources())
    kept = [resource for resource in resources if not is_template_job(resource)]
    names = ", ".join(sorted(resource.name for resource in resources if is_template_job(resource)))
    if names:
        say(f"Left out, as Tutor does: {names}, its template Jobs")
    return "---\n".join(resource.text for resource in kept)
