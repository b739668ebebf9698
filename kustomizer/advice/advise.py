"""What the numbers say of a configuration: its changes, each with its reason, and the file with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from kustomizer.advice.loads import NEW, Load, loads, routes, stuck
from kustomizer.advice.rules import ROUTE, Change, changes
from kustomizer.config.values import join
from kustomizer.errors import Problem, UserError
from kustomizer.overlay.advice import advice
from kustomizer.overlay.config_file import ConfigFile
from kustomizer.record import Record
from kustomizer.system.folding import text_table
from kustomizer.system.visible import visible
from kustomizer.tasks.model import SiteTasks
from kustomizer.tasks.numbers import amount, duration, span


class Advised(Record):
    """What was measured of each worker, the changes, and the file with them."""

    loads: Sequence[Load]
    reasons: Sequence[Change]
    before: ConfigFile
    after: ConfigFile
    notes: Sequence[Problem]
    """Warnings that a build would give of the changed workers, and the long tasks that no route can move."""


def advise(site_tasks: SiteTasks, file: ConfigFile) -> Advised:
    """Return the changes of the configuration in ``file`` that the numbers in ``site_tasks`` recommend.

    Raises UserError where the file can't be changed, or too little was measured.
    """
    days = 0 if site_tasks.measured is None else site_tasks.measured.days
    # Samples of a whole day may lack its first minutes.
    if round(days, 1) < 1:
        message = f"the numbers are of {span(days)}: less than a day says nothing of others"
        raise UserError.of(message, remedy="Ask for more, as with --window 7d, or wait")
    routed, reasons, moved = _routed(site_tasks, file)
    config = routed.load()
    measured_loads = list(loads(site_tasks, config, moved).values())
    values, touched = {}, []
    for load in measured_loads:
        for change in changes(config, load):
            values[change.field] = change.value
            reasons.append(change)
            touched.append((load.service, load.variant))
    changed = routed.set_all(values)
    config = changed.load()
    notes = [note for service, variant in dict.fromkeys(touched) for note in advice(config, service, variant)]
    notes += stuck(site_tasks, config)
    return Advised(loads=measured_loads, reasons=reasons, before=file, after=changed, notes=notes)


def _routed(site_tasks: SiteTasks, file: ConfigFile) -> tuple[ConfigFile, list[Change], dict[tuple[str, str], str]]:
    """Return ``file`` with better routes, their reasons, and the queues by service and task."""
    reasons, moved = [], {}
    values: dict[tuple[str, ...], Any] = {}
    config = file.load()
    for route in routes(site_tasks, config):
        if route.adds and NEW not in config.variants(route.adds):
            values["spec", "workers", route.adds, NEW] = {}
        for sender in route.senders:
            moved[sender, route.name] = route.queue
            path = ("spec", "routing", sender, route.name, "queue")
            values[path] = route.queue
            reasons.append(Change(field=path, value=route.queue, measured=route.measured, rule=ROUTE))
    return file.set_all(values), reasons, moved


def advised_text(site_tasks: SiteTasks, advised: Advised, width: int) -> str:
    """Return what was measured, the reasons, and the diff; `git apply` ignores all text before the diff."""
    sources = (str(site_tasks.measured), f"The site was asked for its tasks on {site_tasks.asked}.")
    parts = ["\n".join(map(visible, sources)), text_table(list(_rows(advised.loads)), width)]
    parts += [_paragraph(reason) for reason in advised.reasons] or ["Nothing to change."]
    parts += [advised_diff(advised)] if advised.reasons else []
    return "\n\n".join(parts)


def advised_diff(advised: Advised) -> str:
    """Return the change of the file in the form of `diff -u`."""
    path = advised.before.path.as_posix().lstrip("/")
    before, after = (file.text.splitlines(keepends=True) for file in (advised.before, advised.after))
    return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")).rstrip("\n")


def _rows(loads: Sequence[Load]) -> Iterator[Sequence[str]]:
    yield ("worker", "tasks", "runs a day", "a run", "at a time: in an ordinary hour", "in the busiest hour")
    for load in loads:
        cells = [f"{load.service} {load.variant}", str(len(load.tasks)), amount(load.per_day)]
        if load.is_enough:
            cells += [duration(load.mean), amount(load.ordinary), amount(load.busiest)]
        yield (*cells, *[""] * (6 - len(cells)))


def _paragraph(reason: Change) -> str:
    was = f" (now {reason.was})" if reason.was else ""
    field = reduce(join, reason.field, "")
    lines = [f"{field}: {reason.value}{was}", f"  measured: {reason.measured}", f"  rule: {reason.rule}"]
    return "\n".join(map(visible, lines))
