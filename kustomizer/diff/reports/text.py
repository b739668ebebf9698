"""Prints the comparison for a terminal: findings first, then the changed fields, and a summary as the last line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from kustomizer.diff.model import ADD, CHANGE, DESTROY, REPLACE, AnyChange, Comparison, ObjectChange, ObjectId
from kustomizer.diff.reports import wording
from kustomizer.diff.reports.fields import ChangedField, EarlierHunks, fields_of, groups_to_show, in_groups, manifest
from kustomizer.diff.reports.queue_changes import QueueChange, queue_changes, queue_legend
from kustomizer.findings.github import without_commands
from kustomizer.findings.model import Finding
from kustomizer.findings.text import findings_text, ignored_text
from kustomizer.system.folding import fold, text_table
from kustomizer.system.visible import visible

_COLOURS = {ADD: "green", CHANGE: "yellow", REPLACE: "red", DESTROY: "red"}
_NARROWEST = 16
"""Columns that how a queue scales needs in a table."""
_LINE_COLOURS = {"+": "green", "-": "red", "@": "cyan", "~": "yellow", "!": "red"}


def text_report(
    comparison: Comparison, *, header: Sequence[str] = (), width: int = 80, colour: bool = False, full: bool = False
) -> str:
    """Return the report; it ends in a newline.

    ``header`` names the two builds, one a line. ``full`` shows added and destroyed objects whole, and values of any
    length. Without ``colour`` the report has no escape sequences.
    """
    parts = [
        "\n".join(line for line in header for line in _folded(visible(line), width)),
        _findings(comparison.findings, width),
        _words(comparison, width, full=full),
        _queues(comparison, width),
        _objects(comparison, width, full=full),
        click.style(wording.summary(comparison), bold=True),
    ]
    text = without_commands("\n\n".join(part for part in parts if part) + "\n")
    return text if colour else click.unstyle(text)


def shown_finding(finding: Finding) -> Finding:
    """Return a finding with only visible characters: a name in it may hold any."""
    problem = finding.problem
    resource = problem.resource and problem.resource.replace(
        kind=visible(problem.resource.kind),
        namespace=visible(problem.resource.namespace),
        name=visible(problem.resource.name),
    )
    return finding.replace(
        problem=problem.replace(
            resource=resource,
            field=visible(problem.field),
            message=visible(problem.message),
            remedy=visible(problem.remedy.removesuffix(".")),
        )
    )


def _findings(findings: Sequence[Finding], width: int) -> str:
    if not findings:
        return ""
    text = findings_text([shown_finding(finding) for finding in findings], width)
    # Without its summary: the report has one of its own.
    return text.rpartition("\n")[0].rstrip("\n")


def _words(comparison: Comparison, width: int, *, full: bool) -> str:
    """Return the shared changes, the restarts, and what is ignored."""
    lines = ["Nothing changes."] if comparison.is_empty else []
    shared: dict[tuple[ObjectId, ...], list[str]] = {}
    for group in groups_to_show(comparison):
        shared.setdefault(tuple(group.objects), []).append(wording.group_text(group))
    for objects, texts in shared.items():
        for text in texts:
            lines += _folded(text, width)
        for line in wording.names(objects, full=full):
            lines += _folded(line, width, "    ")
    for renamings in wording.alike(comparison.renamings):
        lines += _folded(wording.renaming_text(renamings), width)
    return "\n".join([*lines, *ignored_text(comparison.ignored, width)])


def _queues(comparison: Comparison, width: int) -> str:
    changes = queue_changes(comparison)
    if not changes:
        return ""
    rows = [["", "QUEUE", "WORKER", "BEFORE", "AFTER"]]
    rows += [
        [change.sign, change.queue, change.worker, change.before or "-", change.after or "-"] for change in changes
    ]
    table = text_table(rows, width, narrowest=_NARROWEST)
    lines = []
    colour = None
    for line in table.split("\n") if table else _blocks(changes, width):
        # A row may take several lines; its sign stands on the first.
        colour = _LINE_COLOURS.get(line[:1], colour)
        lines.append(click.style(line, fg=colour) if colour else line)
    return "\n".join([*lines, *(part for sentence in queue_legend(changes) for part in fold(sentence, width))])


def _blocks(changes: Iterable[QueueChange], width: int) -> Iterator[str]:
    """Yield a few lines for each queue, where a table would have columns of a word or two."""
    for change in changes:
        yield from fold(f"{change.sign} {change.queue} by {change.worker}", width, more="    ")
        yield from fold(f"before: {change.before or '-'}", width, "    ")
        yield from fold(f"after:  {change.after or '-'}", width, "    ")


def _objects(comparison: Comparison, width: int, *, full: bool) -> str:
    shared = in_groups(comparison)
    earlier = None if full else EarlierHunks()
    blocks = []
    for action, changes in itertools.groupby(comparison.objects, key=lambda change: change.action):
        whole = action in (ADD, DESTROY)
        texts = [
            "\n".join(_whole(item, comparison, width, full=full) if whole else _changed(item, shared, earlier, width))
            for item in changes
        ]
        close = not any("\n" in text for text in texts) or (whole and not full)
        blocks.append(("\n" if close else "\n\n").join(text for text in texts if text))
    return "\n\n".join(block for block in blocks if block)


def _whole(change: ObjectChange, comparison: Comparison, width: int, *, full: bool) -> Iterator[str]:
    words = wording.what(change, comparison)
    head = f"{wording.SIGNS[change.action]} {wording.title(change.id)}"
    for line in _folded(f"{head}: {words}" if words else head, width):
        yield click.style(line, fg=_COLOURS[change.action])
    if full:
        yield from (_styled(line, "    ") for line in manifest(change))


def _changed(
    change: ObjectChange, shared: Mapping[ObjectId, Sequence[AnyChange]], earlier: EarlierHunks | None, width: int
) -> Iterator[str]:
    fields = fields_of(change, full=earlier is None, without=shared.get(change.id, ()), earlier=earlier)
    if fields or change.action == REPLACE or change.id not in shared:
        note = wording.NEEDS_DELETION if change.action == REPLACE else ""
        head = f"{wording.SIGNS[change.action]} {wording.title(change.id)}{note}"
        yield click.style(head, fg=_COLOURS[change.action], bold=True)
        for field in fields:
            yield from _field(field, width)


def _field(field: ChangedField, width: int) -> Iterator[str]:
    line = f"  {field.sign} {field.path}: {field.brief}"
    if field.brief and len(line) <= width:
        yield "  " + click.style(field.sign, fg=_LINE_COLOURS[field.sign]) + line[3:]
        return
    yield f"    {field.path}"
    yield from (_styled(line, "      ") for line in field.lines)


def _styled(line: str, indent: str) -> str:
    colour = _LINE_COLOURS.get(line[:1])
    return (indent + (click.style(line, fg=colour) if colour else line)).rstrip()


def _folded(text: str, width: int, indent: str = "") -> list[str]:
    return fold(text, width, indent) or [""]
