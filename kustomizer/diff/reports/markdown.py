"""Prints the comparison as a comment on a pull request: findings first, everything else as far as it fits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from kustomizer.diff.model import (
    ADD,
    DESTROY,
    REPLACE,
    AnyChange,
    Comparison,
    ObjectChange,
    ObjectId,
    Renaming,
    SharedChange,
)
from kustomizer.diff.reports import wording
from kustomizer.diff.reports.fields import EarlierHunks, fields_of, groups_to_show, in_groups, manifest
from kustomizer.diff.reports.markdown_text import code, details, fenced, html_code, prose
from kustomizer.diff.reports.queue_changes import queue_changes, queue_legend
from kustomizer.findings.github import without_commands
from kustomizer.findings.model import Finding
from kustomizer.record import Record
from kustomizer.site.mermaid import mermaid
from kustomizer.system.visible import visible
from kustomizer.system.wording import joined, plural

GITHUB_LIMIT = 65_536
"""The most characters of a comment, as GitHub's error message says: code points, as it stores four bytes for each."""

_LONGEST_KEY = 300
_LONGEST_LABEL = 150
_LONGEST_SENTENCE = 300
"""Characters that are shown of these where not everything fits."""


class _Section(Record):
    """Parts of the comment, each of which is shown whole, in short, or not at all."""

    noun: str
    parts: Sequence[str]
    shorten: Callable[[int, int], str] | None = None
    """Returns a part in a shorter text, for a number of characters that it ought to have."""
    counts: Sequence[int] = ()
    """The number of things in each part, where it isn't one."""
    between: str = "\n\n"
    share: float = 1
    """How much of the room that is left it may take."""

    def count(self, part: int) -> int:
        """Return the number of things in a part."""
        return self.counts[part] if self.counts else 1


def marker(key: str = "") -> str:
    """Return the first line of the comment. It isn't shown, and the comment is found by it.

    ``key`` tells the comments of one pull request apart, such as those of two overlays.
    """
    quoted = quote(visible(key), safe="/")
    if len(quoted) > _LONGEST_KEY:
        quoted = f"{quoted[:_LONGEST_KEY]}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return f"<!-- tutor-kustomizer diff {quoted} -->".replace("  ", " ")


def markdown_report(
    comparison: Comparison,
    *,
    header: Sequence[str] = (),
    key: str = "",
    limit: int | None = None,
    full: bool = False,
) -> str:
    """Return the comment, a newline at its end: at most ``limit`` characters, or as many as GitHub takes.

    Findings come before everything else, the worst first. What doesn't fit is counted. ``full`` shows added and
    destroyed objects whole, as far as they fit.
    """
    room = (GITHUB_LIMIT if limit is None else limit) - 1
    findings = wording.by_remedy(comparison.findings)
    sections = (
        _Section(
            noun="finding",
            parts=[_finding(alike) for alike in findings],
            shorten=lambda part, room: _finding(findings[part], room),
            counts=[len(alike) for alike in findings],
        ),
        _Section(noun="line", parts=_words(comparison, full=full), between="\n"),
        # One of two large pictures would leave no room for the objects.
        _Section(noun="picture", parts=_pictures(comparison), share=0.5),
        _Section(noun="resource", parts=_objects(comparison, full=full)),
    )
    head = "\n\n".join([marker(key), *_summary(comparison, header)])
    every = ("\n\n" + section.between.join(section.parts) for section in sections if section.parts)
    whole = without_commands(head + "".join(every))
    if len(whole) <= room:
        return f"{whole}\n"
    labels = [label[:_LONGEST_LABEL] for label in header]
    head = without_commands("\n\n".join([marker(key), *_summary(comparison, labels)]))
    return f"{head}{_fitting(sections, room - len(head))}\n"


def _summary(comparison: Comparison, header: Sequence[str]) -> list[str]:
    nothing = ["Nothing changes."] if comparison.is_empty else []
    return [f"### {wording.summary(comparison)}", *map(prose, header), *nothing]


def _finding(alike: Sequence[Finding], room: int | None = None) -> str:
    """Return a rule's findings that have one remedy: each message once, with all its places.

    Where they are longer than ``room``, the first ones are shown, the very first one cut, and the others counted.
    """
    first = alike[0]
    head = f"**{first.severity}** {code(first.rule)}"
    remedy = first.problem.remedy if room is None else _cut(first.problem.remedy)
    foot = f"\n- Remedy: {prose(remedy)}" if remedy else ""
    lines = [(len(findings), _line(message, findings)) for message, findings in wording.by_message(alike)]
    if room is None or len(head) + sum(len(line) + 1 for _, line in lines) + len(foot) <= room:
        return "\n".join([head, *(line for _, line in lines)]) + foot
    text, left = f"{head}\n{_line(_cut(first.problem.message), alike[:1])}", len(alike) - 1
    more = "\n- and {} more of this rule"
    if lines[0][0] == 1:
        for number, line in lines[1:]:
            if len(text) + len(line) + len(foot) + len(more.format(left)) >= room:
                break
            text, left = f"{text}\n{line}", left - number
    return text + (more.format(left) if left else "") + foot


def _line(message: str, findings: Sequence[Finding]) -> str:
    places = "; ".join(", ".join(map(code, parts)) for parts in map(wording.place_of, findings) if parts)
    return f"- {places}: {prose(message)}" if places else f"- {prose(message)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]}…"


def _words(comparison: Comparison, *, full: bool) -> list[str]:
    return [
        *map(_renaming, wording.alike(comparison.renamings)),
        *(_group(group, full=full) for group in groups_to_show(comparison)),
        *(f"- Ignored, {entry.counts}: {prose(entry.reason)}" for entry in comparison.ignored),
    ]


def _group(group: SharedChange, *, full: bool) -> str:
    objects = "; ".join(wording.names(group.objects, full=full))
    return f"- {code(wording.change_text(group.change))} on {plural(len(group.objects), 'object')}: {code(objects)}"


def _renaming(renamings: Sequence[Renaming]) -> str:
    first = renamings[0]
    config = joined([code(f"{renaming.id.kind} {renaming.id.name}") for renaming in renamings])
    guess = "" if first.proven else f", a guess: before it was {code(first.before)}"
    return f"- {config} changed{guess}; {wording.restarts(first.rolls, code)}"


def _pictures(comparison: Comparison) -> list[str]:
    before, after = comparison.queues
    if before == after:
        return []
    changes = queue_changes(comparison)
    lines = [
        f"{change.sign} {change.queue} by {change.worker}: {' → '.join(filter(None, (change.before, change.after)))}"
        for change in changes
    ]
    return [
        *([fenced(["@@ queues @@", *lines, *queue_legend(changes)], "diff")] if lines else []),
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
            texts.append(_whole(change, wording.what(change, comparison), full=full))
        else:
            texts.append(_changed(change, shared, earlier))
    return [text for text in texts if text]


def _whole(change: ObjectChange, words: str, *, full: bool) -> str:
    name = wording.title(change.id)
    if full:
        note = f": {html_code(words)}" if words else ""
        return details(f"<b>{change.action}</b> {html_code(name)}{note}", fenced(manifest(change), "diff"))
    return f"**{change.action}** {code(name)}" + (f": {code(words)}" if words else "")


def _changed(change: ObjectChange, shared: Mapping[ObjectId, Sequence[AnyChange]], earlier: EarlierHunks | None) -> str:
    name = wording.title(change.id)
    fields = fields_of(change, full=earlier is None, without=shared.get(change.id, ()), earlier=earlier)
    if not fields:
        # Its changes stand where all that share them are listed.
        return f"**{change.action}** {code(name)}" if change.action == REPLACE or change.id not in shared else ""
    note = wording.NEEDS_DELETION if change.action == REPLACE else ""
    lines = [line for field in fields for line in (f"@@ {field.path} @@", *field.lines)]
    head = f"<b>{change.action}</b> {html_code(name)}{note}: {plural(len(fields), 'field')}"
    return details(head, fenced(lines, "diff"))


def _fitting(sections: Sequence[_Section], room: int) -> str:
    """Return what fits into ``room`` characters, the first parts first, and the numbers of what doesn't."""
    everything = {section.noun: sum(map(section.count, range(len(section.parts)))) for section in sections}
    room -= len(_omitted(everything))
    text = ""
    omitted = {}
    for section in sections:
        shown, number = _shown_parts(section, int((room - len(text)) * section.share))
        omitted[section.noun] = number
        text += "\n\n" + section.between.join(shown) if shown else ""
    return text + _omitted(omitted)


def _shown_parts(section: _Section, room: int) -> tuple[list[str], int]:
    """Return the parts of a section that fit, and how many things don't."""
    shown: list[str] = []
    omitted = 0
    for number, part in enumerate(map(without_commands, section.parts)):
        text = part
        # A long part leaves half of the room to the others.
        if section.shorten and len(part) > room // 2:
            text = without_commands(section.shorten(number, room // 2))
        length = len(section.between if shown else "\n\n") + len(text)
        if length <= room:
            shown.append(text)
            room -= length
        else:
            omitted += section.count(number)
    return shown, omitted


def _omitted(numbers: Mapping[str, int]) -> str:
    counted = [plural(number, noun) for noun, number in numbers.items() if number]
    return f"\n\n**{joined(counted)} omitted**, or this comment would be too long." if counted else ""
