"""The comparison as an HTML file: whole, closed, and nothing that a manifest holds is markup in it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser

import pytest

from kustomizer.diff.model import CHANGE, Comparison, Hunk, ObjectChange, ObjectId, TextChange
from kustomizer.diff.reports.html import html_report
from tests.diff.reports.samples import FINDING, RICH
from tests.diff.reports.test_markdown import HOSTILE, hostile

EMPTY = {"meta", "input", "wbr"}
ELEMENTS = set(
    re.findall(
        r"\w+",
        "html head meta title style body h1 h2 p ul li span section div strong code details summary table thead tbody "
        "tr th td pre input button script wbr",
    )
)


class Document(HTMLParser):
    """What a browser reads in a document that is written without mistakes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(text.split()) for name, texts in self.texts.items() for text in texts if name)


def test_everything_that_a_comparison_holds() -> None:
    document = Document(html_report(RICH, header=("before: main", "after: here")))
    for words in (
        "2 add",
        "1 destroy",
        "before: main",
        "queue-without-consumer",
        "Remedy: Let another worker take the queue before this one goes.",
        "ConfigMap openedx-config changed; rolls lms, cms and 4 workers",
        "app.kubernetes.io/version: 21.0.0 → 22.0.3, on 2 objects",
        "KEDA 0-5; 1 per 40 queued; in flight: Zero; 3600s grace",
        "+CELERY_BROKER_PASSWORD: (secret, changed)",
        "- kind: Deployment",
        "+ --queues=edx.lms.core.default",
        "Ignored, 2 changes and 1 finding: Tutor draws a new one each time",
        "and 1 change that others share: see above",
    ):
        assert words in document.text


def test_nothing_is_loaded_and_only_ours_runs() -> None:
    text = html_report(RICH)
    document = Document(text)
    assert document.elements <= ELEMENTS
    assert not document.attributes & {"src", "href", "style", "onclick", "action", "srcset"}
    assert "url(" not in text
    assert "@import" not in text
    policy = re.search('Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    for name in ("style", "script"):
        [body] = document.texts[name]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}';" in policy[1]
    assert policy[1].startswith("default-src 'none';")


@pytest.mark.parametrize("text", [*HOSTILE, "</script><script>alert(1)</script>", "</title><b>", '" onclick="x'])
def test_nothing_but_ours_is_markup(text: str) -> None:
    report = html_report(hostile(text), header=(text,))
    report.encode()
    assert not re.search(r"[ \t]$", report, flags=re.MULTILINE)
    document = Document(report)
    assert document.elements <= ELEMENTS
    assert document.attributes <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "hidden", "type", "placeholder", "aria-label"),
        *("id", "open", "data-name"),
    }
    assert len(document.texts["script"]) == len(document.texts["style"]) == 1


def test_nothing_changes() -> None:
    text = html_report(Comparison(objects=(), unchanged=31))
    assert "<p>Nothing changes.</p>" in text
    assert "31 unchanged" in text
    assert "Queues" not in text
    assert 'id="objects"' not in text.partition("<script>")[0]


def test_a_command_in_a_message_is_code() -> None:
    finding = FINDING.replace(problem=FINDING.problem.replace(remedy="Run `kubectl <x>` first."))
    assert "Run <code>kubectl &lt;x&gt;</code> first." in html_report(RICH.replace(findings=(finding,)))


def test_a_message_of_several_objects_stands_once() -> None:
    other = FINDING.replace(problem=FINDING.problem.replace(field="spec.replicas"))
    text = html_report(RICH.replace(findings=(FINDING, other)))
    assert text.count(FINDING.problem.message) == 1
    assert "in namespace openedx: spec.replicas</code>" in text
    assert f"in namespace openedx: {FINDING.problem.field}</code>" in text


def test_a_queue_that_nobody_takes_is_an_error() -> None:
    before, after = RICH.queues
    lost = [row.replace(deployment="") for row in before[:1]]
    text = html_report(RICH.replace(queues=(before, [*after, *lost])))
    row = next(line for line in text.splitlines() if "tasks wait for ever" in line and line.startswith("<tr>"))
    assert '<span class="label error">nobody takes it</span>' in row
    assert 'class="label new"' not in row


def test_names_of_queues_are_broken_only_where_they_are_long() -> None:
    """Behind a dot or a hyphen; the style breaks no word of a table that fits."""
    before, after = RICH.queues
    long = "edx.lms.core.of_the_campus_that_has_a_long_name-and-more"
    text = html_report(RICH.replace(queues=(before, [*after, after[0].replace(queue=long)])))
    assert "edx.<wbr>lms.<wbr>core.<wbr>of_the_campus_that_has_a_long_name-<wbr>and-<wbr>more</code>" in text
    assert f"<code>{after[0].queue}</code>" in text
    assert "td, td code { overflow-wrap: break-word; }" in text


def test_a_printed_report_has_what_the_reader_opened() -> None:
    assert "beforeprint" not in html_report(RICH)


def test_the_same_lines_of_two_files_stand_once() -> None:
    hunk = Hunk(before=1, after=1, lines=("-a line of both", "+another line of both"))
    objects = [
        ObjectChange(
            action=CHANGE,
            id=ObjectId(group="", kind="ConfigMap", namespace="openedx", name=name),
            api_version=("v1", "v1"),
            changes=(TextChange(path=("data", "a.py"), hunks=(hunk,), newline_at_end=(True, True)),),
        )
        for name in ("lms", "cms")
    ]
    text = html_report(Comparison(objects=objects))
    assert text.count("another line of both") == 1
    assert 'as in lms data["a.py"]' in html.unescape(text)
