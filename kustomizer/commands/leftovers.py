"""`tutor-kustomizer leftovers`: what a removed worker has left in the cluster, and taking it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from kustomizer.cluster.in_flight import namespace_of
from kustomizer.cluster.leftovers import (
    Counted,
    counts_request,
    leftovers,
    leftovers_json,
    leftovers_text,
    live_resources,
    remove,
)
from kustomizer.cluster.pods import live_pods, pod_to_ask
from kustomizer.commands.common import EXIT_FINDINGS, ask, output_option, site_argument, site_resources
from kustomizer.commands.in_flight import RunningSite, cluster_options
from kustomizer.commands.talk import say, terminal_width
from kustomizer.errors import UserError
from kustomizer.site.model import Site


@click.command("leftovers", short_help="Show what removed workers have left in the cluster, and remove it.")
@site_argument
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Show what is left over, and stop.")
@click.option(
    "--unsplit", is_flag=True, help="SITE is Tutor's own output, since the split was turned off: all of ours is left."
)
@output_option("text", "json")
@click.option("--pod", metavar="NAME", help="Count from this pod, not from a default worker's.")
@cluster_options
@click.pass_context
def leftovers_command(
    ctx: click.Context, /, *, site: Path, yes: bool, dry_run: bool, unsplit: bool, output: str, **options: Any
) -> None:
    """Show what the cluster has of ours and SITE no longer has, ask, and remove it: a removed worker's objects, say.

    What still has tasks stays: on a queue that no worker of SITE consumes, or in flight under a key that none uses. The
    exit status is 3 where something is left in the end. Apply SITE before.
    """
    running = _open(site, options, unsplit=unsplit)
    leftovers_now = look(running)
    removed: Sequence[str] = ()
    if output == "text":
        click.echo(leftovers_text(leftovers_now, terminal_width()))
    try:
        if not dry_run and any(not counted.reasons for counted in leftovers_now):
            removed = _remove(running, leftovers_now, yes=yes)
    finally:
        if output == "json":
            click.echo(leftovers_json(leftovers_now, removed))
    if len(removed) < len(leftovers_now):
        ctx.exit(EXIT_FINDINGS)


def _open(site: Path, options: Mapping[str, Any], *, unsplit: bool) -> RunningSite:
    """Return the site and its cluster. Raises UserError where the site isn't split and isn't said to be so."""
    # An output that nothing was split in is refused below, with what to do.
    built = Site(site_resources(site, options["wanted"], needs_function=False))
    workers = built.open_edx_workers
    if not unsplit and workers and all(worker.resource.name == f"{worker.service}-worker" for worker in workers):
        raise UserError.of(
            f"{site} splits no worker: everything of ours in the cluster would be left over",
            remedy="Where the split was turned off for good: --unsplit",
        )
    return RunningSite(site=built, namespace=options["namespace"] or namespace_of(built), given=options)


def look(running: RunningSite) -> list[Counted]:
    """Return what is left over, each with the tasks that would be left to nobody with it."""
    kubectl = running.kubectl
    live_leftovers = leftovers(live_resources(kubectl), running.site, running.namespace)
    with_tasks = [leftover for leftover in live_leftovers if leftover.queues or leftover.key]
    if not with_tasks:
        return [Counted(leftover=leftover) for leftover in live_leftovers]
    try:
        pod = pod_to_ask(live_pods(kubectl), name=running.given.get("pod"), namespace=running.namespace)
        counts = pod.ask(kubectl, counts_request(with_tasks))["counts"]
    except UserError as error:
        unknown = "; ".join(problem.message for problem in error.problems)
        return [
            Counted(leftover=leftover, unknown=unknown if leftover in with_tasks else "") for leftover in live_leftovers
        ]
    return [
        Counted(leftover=leftover, counts={name: counts[name] for name in (*leftover.queues, leftover.key) if name})
        for leftover in live_leftovers
    ]


def _remove(running: RunningSite, shown: Sequence[Counted], *, yes: bool) -> Sequence[str]:
    """Ask, and remove what can still go; return the names."""
    if not yes:
        ask("Remove what can go?", undone="nothing was removed", remedy="To remove unasked: --yes")
    # The answer may have taken a while, and what was shown is what was agreed to.
    agreed = {counted.leftover.name: counted.leftover.objects for counted in shown if not counted.reasons}
    now = [counted for counted in look(running) if counted.leftover.name in agreed]
    for counted in now:
        if counted.reasons:
            say(f"{counted.leftover.name} stays: {'; '.join(counted.reasons)}")
    going = [counted.leftover.replace(objects=agreed[counted.leftover.name]) for counted in now if not counted.reasons]
    click.echo(remove(running.kubectl, going), nl=False, err=True)
    return [leftover.name for leftover in going]
