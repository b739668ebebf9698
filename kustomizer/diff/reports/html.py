"""Prints the comparison as one HTML file that loads nothing, such as an artifact of a CI job."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kustomizer import DIRECTORY
from kustomizer.diff.model import ADD, CHANGE, DESTROY, REPLACE, AnyChange, Comparison, ObjectChange, ObjectId
from kustomizer.diff.reports import wording
from kustomizer.diff.reports.fields import EarlierHunks, fields_of, groups_to_show, in_groups, manifest
from kustomizer.diff.reports.queue_changes import QueueChange, queue_changes, queue_legend
from kustomizer.findings.model import SEVERITIES, Finding, count
from kustomizer.system.visible import visible
from kustomizer.system.wording import plural

_LONG_NAME = 40
_LINES = {"+": "new", "-": "gone", "@": "place"}
_QUEUES = {"+": ("new", "new"), "-": ("gone", "gone"), "~": ("change", "change"), "!": ("error", "nobody takes it")}
"""The style and the words of a queue's row, by its sign."""


def html_report(comparison: Comparison, *, header: Sequence[str] = ()) -> str:
    """Return the document with everything in it, folded; it ends in a newline."""
    parts = [
        "<h1>What changes</h1>",
        *(f'<p class="dim">{_escaped(line)}</p>' for line in header),
        _counts(comparison),
        *_section("Findings", map(_finding, wording.by_remedy(comparison.findings))),
        *_section("In words", _words(comparison)),
        *_section("Queues", _queues(queue_changes(comparison, every=True))),
        *_section("Objects", _objects(comparison)),
    ]
    # A CI job's runner would take `##[` for a command (findings/github.py); a browser shows both alike.
    return _page(f"What changes: {wording.summary(comparison)}", "\n".join(parts).replace("##", "#&#35;"))


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def _sentence(text: str) -> str:
    """Return a message with its quoted commands as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", _escaped(text))


def _label(name: str, text: str) -> str:
    return f'<span class="label {name}">{_escaped(text)}</span>'


def _section(name: str, parts: Iterable[str]) -> list[str]:
    lines = list(parts)
    return [f"<section>\n<h2>{name}</h2>", *lines, "</section>"] if lines else []


def _counts(comparison: Comparison) -> str:
    numbers = count(comparison.findings)
    ignored = sum(entry.changes + entry.findings for entry in comparison.ignored)
    labels = [
        *((action, f"{comparison.count(action)} {action}") for action in (ADD, CHANGE, REPLACE, DESTROY)),
        *((severity, f"{numbers[severity]} {severity}") for severity in SEVERITIES if numbers[severity]),
        *([("", f"{ignored} ignored")] if ignored else []),
        ("", f"{comparison.unchanged} unchanged"),
    ]
    items = (f"<li>{_label(name if not text.startswith('0 ') else '', text)}</li>" for name, text in labels)
    return f'<ul class="counts">{"".join(items)}</ul>'


def _finding(together: Sequence[Finding]) -> str:
    """Return a rule's findings that have one remedy: each message once, with all its places."""
    first = together[0]
    lines = [
        f'<div class="finding {first.severity}">',
        f"<p>{_label(first.severity, first.severity)} <strong>{_escaped(first.rule)}</strong></p>",
    ]
    for message, findings in wording.by_message(together):
        places = [": ".join(map(str, parts)) for parts in map(wording.place_of, findings) if parts]
        lines += [f"<p><code>{_escaped(place)}</code></p>" for place in places]
        lines.append(f"<p>{_sentence(message)}</p>")
    remedy = first.problem.remedy
    return "\n".join([*lines, *([f'<p class="dim">Remedy: {_sentence(remedy)}</p>'] if remedy else []), "</div>"])


def _words(comparison: Comparison) -> Iterator[str]:
    if comparison.is_empty:
        yield "<p>Nothing changes.</p>"
    for renamings in wording.alike(comparison.renamings):
        names = "".join(f"<li>{html.escape(wording.title(workload))}</li>" for workload in renamings[0].rolls)
        yield _folded(html.escape(wording.renaming_text(renamings)), f"<ul>{names}</ul>" if names else "")
    for group in groups_to_show(comparison):
        kinds = wording.by_kind(group.objects)
        names = "".join(
            f"<li>{html.escape(kind)}: {html.escape(', '.join(names_of_kind))}</li>" for kind, names_of_kind in kinds
        )
        yield _folded(html.escape(wording.group_text(group)), f"<ul>{names}</ul>")
    for ignored in comparison.ignored:
        yield f"<p>Ignored, {ignored.counts}: {_escaped(ignored.reason)}</p>"


def _folded(head: str, body: str) -> str:
    return f"<details><summary>{head}</summary><div>{body}</div></details>" if body else f"<p>{head}</p>"


def _queues(changes: Sequence[QueueChange]) -> Iterator[str]:
    if all(change.sign == " " for change in changes):
        return
    yield '<table class="queues"><thead><tr><th></th><th>Queue</th><th>Worker</th><th>Before</th><th>After</th></tr>'
    yield "</thead><tbody>"
    for change in changes:
        cells = [
            f"<td>{_label(*_QUEUES[change.sign]) if change.sign in _QUEUES else ''}</td>",
            f'<td data-name="queue"><code>{_name(change.queue)}</code></td>',
            f'<td data-name="worker"><code>{_name(change.worker)}</code></td>',
            f'<td data-name="before">{html.escape(change.before)}</td>' if change.before else "<td></td>",
            f'<td data-name="after">{html.escape(change.after)}</td>' if change.after else "<td></td>",
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"
    yield from (f'<p class="dim">{html.escape(sentence)}</p>' for sentence in queue_legend(changes))


def _name(text: str) -> str:
    """Return a name that stays whole, or, where it is so long that a page may not hold it, goes on behind a mark."""
    escaped = html.escape(text)
    return escaped if len(text) <= _LONG_NAME else re.sub(r"(?<=[./-])", "<wbr>", escaped)


def _objects(comparison: Comparison) -> Iterator[str]:
    if not comparison.objects:
        return
    shared = in_groups(comparison)
    earlier = EarlierHunks()
    yield '<div class="tools" hidden><input type="search" placeholder="Filter" aria-label="Filter the objects">'
    yield '<button type="button">Open or close all</button></div>'
    yield '<p id="none" class="dim" hidden>No object has this in it.</p>'
    yield '<div id="objects">'
    for change in comparison.objects:
        yield _object(change, comparison, shared, earlier)
    yield "</div>"


def _object(
    change: ObjectChange,
    comparison: Comparison,
    shared: Mapping[ObjectId, Sequence[AnyChange]],
    earlier: EarlierHunks,
) -> str:
    head = f"{_label(change.action, change.action)} {html.escape(wording.title(change.id))}"
    if change.action in (ADD, DESTROY):
        words = wording.what(change, comparison)
        head += f' <span class="dim">{html.escape(words)}</span>' if words else ""
        return _block(head, _lines(manifest(change)), is_open=False)
    common = shared.get(change.id, ())
    parts = [
        f'<p class="path">{html.escape(field.path)}</p>\n{_lines(field.lines)}'
        for field in fields_of(change, full=True, without=common, earlier=earlier)
    ]
    head += f' <span class="dim">{plural(len(parts), "field")}</span>' if parts else ""
    if common:
        parts.append(f'<p class="dim">and {plural(len(common), "change")} that others share: see above</p>')
    return _block(head, "\n".join(parts), is_open=change.action == REPLACE and len(parts) > 1)


def _block(head: str, body: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary>{head}</summary><div>\n{body}\n</div></details>"


def _lines(lines: Iterable[str]) -> str:
    spans = (f'<span class="{_LINES.get(line[:1], "same")}">{html.escape(line)}\n</span>' for line in lines)
    return f"<pre>{''.join(spans)}</pre>"


def _page(title: str, body: str) -> str:
    """Return a document that loads nothing, a newline at its end. ``title`` is text, ``body`` HTML.

    The policy (https://www.w3.org/TR/CSP3/) lets a browser apply this style and run this script by their hashes, and
    nothing else, whatever gets into the body.
    """
    report = Path(DIRECTORY, "data", "diff-report")
    style, script = ("\n" + report.with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".css", ".js"))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
