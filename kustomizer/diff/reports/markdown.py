"""The comparison as a comment on a pull request: what matters is never cut, the rest as far as it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kustomizer.diff.model import ADD, DESTROY, REPLACE
from kustomizer.diff.reports.fields import EarlierHunks, fields_of, groups_to_show, in_groups, manifest
from kustomizer.diff.reports.markdown_text import code, details, fenced, html_code, prose
from kustomizer.diff.reports.object_summaries import what
from kustomizer.diff.reports.queue_changes import queue_changes
from kustomizer.diff.reports.visible import visible
from kustomizer.diff.reports.wording import (
    alike,
    by_remedy,
    change_text,
    joined,
    names,
    restarts,
    summary,
    title,
)
from kustomizer.record import Record
from kustomizer.site.mermaid import mermaid
from kustomizer.system.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.diff.model import AnyChange, Comparison, Ignored, ObjectChange, ObjectId, Renaming, SharedChange
    from kustomizer.findings.model import Finding

GITHUB_LIMIT = 65_536
"""Characters of a comment, as GitHub's refusal says; it keeps 262,144 bytes, so four for each: code points, then."""
GITLAB_LIMIT = 1_000_000
"""Characters of a note (https://docs.gitlab.com/administration/instance_limits/)."""


def marker(key: str = "") -> str:
    """Return the first line of the comment, which isn't shown, and by which it is found again.

    ``key`` tells several comments on one pull request from each other, such as those of two overlays.
    """
    return f"<!-- tutor-kustomizer diff {quote(visible(key), safe='/')} -->".replace("  ", " ")


def markdown_report(
    comparison: Comparison,
    *,
    header: Sequence[str] = (),
    key: str = "",
    limit: int | None = None,
    full: bool = False,
) -> str:
    """Return the comment, a newline at its end: at most ``limit`` characters, or as many as GitHub takes.

    Its summary and its findings are in it even where they alone are more, and then nothing else is. ``full`` shows
    added and destroyed objects whole, as far as they fit.
    """
    text = "\n\n".join([marker(key), *_summary(comparison, header), *map(_finding, by_remedy(comparison.findings))])
    sections = (
        _Section(noun="line", parts=_words(comparison, full=full), between="\n"),
        # Two large ones would leave nothing to what they are pictures of.
        _Section(noun="picture", parts=_pictures(comparison), share=0.5),
        _Section(noun="resource", parts=_objects(comparison, full=full)),
    )
    return text + _fitting(sections, (GITHUB_LIMIT if limit is None else limit) - len(text) - 1) + "\n"


class _Section(Record):
    """Parts of the comment that may be left out, each whole."""

    noun: str
    parts: Sequence[str]
    between: str = "\n\n"
    share: float = 1
    """How much of the room that is left it may take."""


def _fitting(sections: Sequence[_Section], room: int) -> str:
    """Return what fits into ``room`` characters, the first parts first, and how many don't."""
    every = "".join("\n\n" + section.between.join(section.parts) for section in sections if section.parts)
    if len(every) <= room:
        return every
    room -= len(_omitted({section.noun: len(section.parts) for section in sections}))
    if room < 0:
        return ""
    text = ""
    omitted = {}
    for section in sections:
        shown = _shown(section, int((room - len(text)) * section.share))
        omitted[section.noun] = len(section.parts) - len(shown)
        text += "\n\n" + section.between.join(shown) if shown else ""
    return text + _omitted(omitted)


def _shown(section: _Section, room: int) -> list[str]:
    shown: list[str] = []
    for part in section.parts:
        length = len(section.between if shown else "\n\n") + len(part)
        if length <= room:
            shown.append(part)
            room -= length
    return shown


def _omitted(numbers: Mapping[str, int]) -> str:
    counted = [plural(number, noun) for noun, number in numbers.items() if number]
    return f"\n\n**{joined(counted)} omitted**, or this comment would be too long."


def _summary(comparison: Comparison, header: Sequence[str]) -> list[str]:
    return [f"### {summary(comparison)}", *map(prose, header), *(["Nothing changes."] if comparison.is_empty else [])]


def _finding(alike: Sequence[Finding]) -> str:
    """Return what a rule says of an object or of several, with the one remedy."""
    first = alike[0]
    lines = [f"**{first.severity}** {code(first.rule)}"]
    for finding in alike:
        place = ", ".join(code(str(part)) for part in (finding.problem.resource, finding.problem.field) if part)
        lines.append(f"- {place}: {prose(finding.problem.message)}" if place else f"- {prose(finding.problem.message)}")
    remedy = prose(first.problem.remedy)
    return "\n".join([*lines, f"- Remedy: {remedy}"] if remedy else lines)


def _words(comparison: Comparison, *, full: bool) -> list[str]:
    return [
        *map(_renaming, alike(comparison.renamings)),
        *(_group(group, full=full) for group in groups_to_show(comparison)),
        *map(_ignored, comparison.ignored),
    ]


def _group(group: SharedChange, *, full: bool) -> str:
    objects = "; ".join(names(group.objects, full=full))
    return f"- {code(change_text(group.change))} on {plural(len(group.objects), 'object')}: {code(objects)}"


def _renaming(renamings: Sequence[Renaming]) -> str:
    first = renamings[0]
    config = joined([code(f"{renaming.id.kind} {renaming.id.name}") for renaming in renamings])
    guess = "" if first.proven else f", a guess: before it was {code(first.before)}"
    return f"- {config} changed{guess}; {restarts(first.rolls, code)}"


def _ignored(ignored: Ignored) -> str:
    counts = f"{plural(ignored.changes, 'change')} and {plural(ignored.findings, 'finding')}"
    return f"- Ignored, {counts}: {prose(ignored.reason)}"


def _pictures(comparison: Comparison) -> list[str]:
    before, after = comparison.queues
    if before == after:
        return []
    lines = [
        f"{change.sign} {change.queue} by {change.worker}: {' → '.join(filter(None, (change.before, change.after)))}"
        for change in queue_changes(comparison)
    ]
    return [
        *([fenced(["@@ queues @@", *lines], "diff")] if lines else []),
        *(
            details(f"Queues {when}", fenced(mermaid(rows).splitlines(), "mermaid"))
            for when, rows in (("before", before), ("after", after))
        ),
    ]


def _objects(comparison: Comparison, *, full: bool) -> list[str]:
    shared = in_groups(comparison)
    earlier = None if full else EarlierHunks()
    texts = []
    for change in comparison.objects:
        if change.action in (ADD, DESTROY):
            texts.append(_whole(change, what(change, comparison), full=full))
        else:
            texts.append(_changed(change, shared, earlier))
    return [text for text in texts if text]


def _whole(change: ObjectChange, words: str, *, full: bool) -> str:
    name = title(change.id)
    if full:
        note = f": {html_code(words)}" if words else ""
        return details(f"<b>{change.action}</b> {html_code(name)}{note}", fenced(manifest(change), "diff"))
    return f"**{change.action}** {code(name)}" + (f": {code(words)}" if words else "")


def _changed(change: ObjectChange, shared: Mapping[ObjectId, Sequence[AnyChange]], earlier: EarlierHunks | None) -> str:
    name = title(change.id)
    fields = fields_of(change, full=earlier is None, without=shared.get(change.id, ()), earlier=earlier)
    if not fields:
        # Its changes stand where all that share them are listed.
        return f"**{change.action}** {code(name)}" if change.action == REPLACE or change.id not in shared else ""
    note = " is deleted and created again" if change.action == REPLACE else ""
    lines = [line for field in fields for line in (f"@@ {field.path} @@", *field.lines)]
    head = f"<b>{change.action}</b> {html_code(name)}{note}: {plural(len(fields), 'field')}"
    return details(head, fenced(lines, "diff"))
