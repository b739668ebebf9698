"""The comparison as a comment: nothing in it is markup that we didn't write, and it is whole at every limit."""

from __future__ import annotations

import html
import itertools
import re

import pytest
from hypothesis import given, strategies

from kustomizer.diff.model import ADD, CHANGE, REPLACE, Comparison, ObjectChange, ValueChange
from kustomizer.diff.reports.markdown import GITHUB_LIMIT, markdown_report, marker
from kustomizer.diff.reports.markdown_text import code, details, fenced, html_code, prose
from kustomizer.errors import Problem, ResourceRef
from kustomizer.findings.ignores import Ignored
from kustomizer.findings.model import Finding
from tests.diff.reports.samples import CONFIG, FINDING, RICH
from tests.examples import sample

HOSTILE = (
    "</code></summary></details><img src=x onerror=alert(1)>",
    "`` ``` ````` `",
    "@everyone closes #1, GH-2 and owner/repo#3",
    "https://example.com www.example.com a@b.example",
    "[text](https://example.com) ![x](y) [^1] <!-- x",
    "/close",
    "# heading",
    "1. list",
    "- item",
    "line\n/merge\n```\n</details>\n@everyone",
    "$`x`$ :smile: ~~x~~ **x** _x_ a|b \\",
    "\u202e\ud800\x1b[31m",
    "&lt;b&gt; &#64;everyone",
)


def outside_code(text: str) -> str:
    """Return the comment without what stands in blocks, spans and elements of code, as CommonMark finds them."""
    text = re.sub(r"^(`{3,})\w*\n(?:(?!\1$).*\n)*?\1$", "", text, flags=re.MULTILINE)
    text = re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", text)
    # Elsewhere what stands in an element is Markdown.
    return re.sub(r"(^<details>.*)<code>[^<]*</code>", "\\1", text, flags=re.MULTILINE)


def hostile(text: str) -> Comparison:
    """Return a comparison in which ``text`` stands wherever a manifest could have put it."""
    identity = CONFIG.replace(name=text, kind=text, namespace=text)
    resource = ResourceRef(kind=text, name=text, namespace=text)
    finding = Finding(rule=text, problem=Problem(message=text, field=text, remedy=text, resource=resource))
    return Comparison(
        objects=(
            ObjectChange(
                action=CHANGE,
                id=identity,
                api_version=("v1", text),
                changes=(ValueChange(path=(text,), before=text, after={text: text}),),
            ),
            ObjectChange(action=REPLACE, id=identity, api_version=("v1", "v1")),
            ObjectChange(action=ADD, id=identity, api_version=("", text), tree={"data": {text: text}}),
        ),
        renamings=tuple(each.replace(id=identity, before=text, proven=False) for each in RICH.renamings),
        groups=tuple(each.replace(objects=(identity, identity)) for each in RICH.groups),
        findings=(finding,),
        ignored=(Ignored(reason=text),),
        queues=((), tuple(row.replace(queue=text, deployment=text) for row in RICH.queues[1])),
    )


def test_everything_that_a_comparison_holds() -> None:
    text = markdown_report(RICH, header=("main → the working tree",), key="overlays/production")
    assert text.startswith(
        "<!-- tutor-kustomizer diff overlays/production -->\n\n"
        "### 2 add, 3 change, 1 replace, 1 destroy; 1 error, 1 warning, 1 info; 3 ignored\n\n"
        "main → the working tree\n\n"
        "**error** `queue-without-consumer`\n"
        "- `Deployment lms-worker-high-mem in namespace openedx`, "
        "`spec.template.spec.containers[lms-worker-high-mem].args`: "
        "nobody takes `edx.lms.core.high_mem` any longer, so its tasks wait for ever\n"
        "- Remedy: Let another worker take the queue before this one goes.\n"
    )
    assert "- `ConfigMap openedx-config` changed; rolls `lms, cms and 4 workers`\n" in text
    assert "- `app.kubernetes.io/version: 21.0.0 → 22.0.3` on 2 objects: `Deployment: lms-worker, smtp`\n" in text
    assert text.count("```mermaid\n") == 2
    assert "\n- edx.lms.core.high by lms-worker: 1, fixed\n" in text
    assert "**destroy** `Deployment openedx/lms-worker-high-mem`: `docker.io/overhangio/openedx`\n" in text
    assert (
        "<summary><b>replace</b> <code>Job openedx/lms-job</code> is refused unless it is deleted first: 1 field"
        in text
    )
    assert '@@ data["lms.env.yml"] @@\n@@ -3,3 +3,3 @@\n CELERY_BROKER_VHOST: "0"\n-CELERY' in text
    assert "Deployment openedx/smtp" not in text
    assert "+   minReplicaCount: 0\n" in markdown_report(RICH, full=True)


def test_no_picture_where_no_queue_changes() -> None:
    assert "mermaid" not in markdown_report(RICH.replace(queues=(RICH.queues[0], RICH.queues[0])))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_ours_is_markup(text: str) -> None:
    for full in (False, True):
        report = markdown_report(hostile(text), header=(text,), key=text, full=full)
        assert report == "\n".join(line.rstrip() for line in report.split("\n"))
        report.encode()
        assert report.count("\n```") % 2 == 0 or "````" in report
        rest = outside_code(report.removeprefix(marker(text)))
        tags = re.findall(r"</?[a-z]+[^>]*>", rest)
        assert set(tags) <= {"<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>"}
        assert tags.count("<details>") == tags.count("</details>") == tags.count("<summary>")
        assert not re.search(r"[@\[\]~$|\\_]|https?:|www|GH-|^/|^# |^1\.|#\d", rest, flags=re.MULTILINE)
        assert rest.count("<!--") == rest.count("-->") == 0


@given(strategies.text())
def test_code_is_a_code_span_of_just_that(text: str) -> None:
    span = code(text)
    assert outside_code(span) == ""
    assert "\n" not in span


@given(strategies.text())
def test_html_code_closes_nothing(text: str) -> None:
    inside = html_code(text).removeprefix("<code>").removesuffix("</code>")
    assert not set("<>\n") & set(inside)
    assert "\n" not in html.unescape(inside)


@given(strategies.lists(strategies.text("`a~ <", max_size=8)))
def test_a_fence_is_longer_than_any_run_of_backticks_inside(lines: list[str]) -> None:
    fence, *_, last = fenced(lines, "").split("\n")
    assert set(fence) == {"`"}
    assert last == fence
    assert fence not in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lms gets another image", "lms gets another image"),
        ("takes edx.lms.core.high_mem, and more", "takes `edx.lms.core.high_mem`, and more"),
        ("(see lms_worker).", "(see `lms_worker`)."),
        ("ask @admin", "ask `@admin`"),
        ("- a list", "`-` a list"),
        ("1. a list", "`1`. a list"),
        ("a - b", "a - b"),
        ("/close", "`/close`"),
        ("at https://example.com/", "at `https://example.com/`"),
        ("commit 3f2a1bc0", "commit `3f2a1bc0`"),
        ("fixes gh-12", "fixes `gh-12`"),
        ("fixes #12", "fixes `#12`"),
        ("100% of a<b>c", "`100%` of `a<b>c`"),
        (
            "run `tutor-kustomizer in-flight restore x`, then (`a b`).",
            "run `tutor-kustomizer in-flight restore x`, then (`a b`).",
        ),
        ("an `odd` number ` of", "an `odd` number `` ` `` of"),
        ("`` @x", "``` `` ``` `@x`"),
        ("", ""),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_markers_are_comments_of_their_own() -> None:
    assert marker() == "<!-- tutor-kustomizer diff -->"
    assert marker("overlays/production") != marker("overlays/staging")
    assert marker("--><script>") == "<!-- tutor-kustomizer diff --%3E%3Cscript%3E -->"


def test_whole_at_every_limit() -> None:
    comparison = RICH.replace(objects=(*RICH.objects, *hostile("多`\n```x").objects))
    whole = markdown_report(comparison, limit=10**6)
    assert "omitted" not in whole
    assert len(whole) < GITHUB_LIMIT
    lengths = []
    for limit in [*sample(range(400, len(whole), 7)), len(whole)]:
        text = markdown_report(comparison, limit=limit)
        lengths.append(len(text))
        assert len(text) <= limit
        assert text.startswith("<!-- tutor-kustomizer diff -->\n\n### 3 add, ")
        assert len(re.findall("<details>", outside_code(text))) == len(re.findall("</details>", outside_code(text)))
        text.encode()
        shown = text.count("<b>change</b>") + text.count("<b>replace</b>")
        shown += len(re.findall(r"^\*\*(?:add|destroy|replace)\*\*", text, flags=re.MULTILINE))
        assert shown + omitted(text, "resource") == 9
        assert (
            len(re.findall(r"^\*\*(?:error|warning|info)\*\*", text, flags=re.MULTILINE)) + omitted(text, "finding")
            == 3
        )
    assert max(lengths) == len(whole)


def omitted(text: str, noun: str) -> int:
    last = text.rpartition("\n\n**")[2]
    found = re.search(rf"(\d+) {noun}s?\b.* omitted", f"**{last}")
    return int(found[1]) if found and "omitted" in last else 0


def test_the_limit_counts_characters_of_any_size() -> None:
    value = "\U0001f40c" * 30_000
    objects = tuple(
        ObjectChange(
            action=CHANGE,
            id=CONFIG.replace(name=f"c{number}"),
            api_version=("v1", "v1"),
            changes=(ValueChange(path=("data", "a"), before="", after=value),),
        )
        for number in range(3)
    )
    text = markdown_report(Comparison(objects=objects), limit=GITHUB_LIMIT)
    assert 60_000 < len(text) <= GITHUB_LIMIT
    assert "**1 resource omitted**" in text


def test_the_riskiest_stay() -> None:
    text = markdown_report(RICH.replace(queues=((), ()), groups=(), renamings=()), limit=1500)
    assert "**destroy**" in text
    assert "**add** `ScaledObject" not in text


def many(number: int, message: str = "number {} of many") -> Comparison:
    problem = FINDING.problem
    findings = (FINDING.replace(problem=problem.replace(message=message.format(place))) for place in range(number))
    return RICH.replace(findings=tuple(findings))


def test_findings_that_do_not_fit_are_counted() -> None:
    text = markdown_report(many(500), limit=4000)
    assert 1500 < len(text) <= 4000
    shown = len(re.findall("number [0-9]+ of many", text))
    assert 5 < shown < 500
    assert f"\n- and {500 - shown} more of this rule\n- Remedy:" in text


def test_a_message_of_many_objects_stands_once() -> None:
    text = markdown_report(many(3, "the same"))
    assert text.count("the same") == 1
    assert text.count("`Deployment lms-worker-high-mem in namespace openedx`") == 3


@pytest.mark.parametrize(
    ("letter", "length"),
    sample(itertools.product(["x", "`", "::", "##[", "a ", "@b ", "\U0001f40c"], [100, 5_000, 20_000])),
)
def test_nothing_makes_it_longer_than_the_limit(letter: str, length: int) -> None:
    text = letter * (length // len(letter))
    problem = FINDING.problem.replace(message=text, remedy=text, field=text)
    findings = (FINDING.replace(problem=problem), FINDING.replace(rule=text))
    comparison = RICH.replace(findings=findings, objects=hostile(text).objects)
    for limit in (2000, 2100, 5_000, GITHUB_LIMIT):
        report = markdown_report(comparison, header=[text, text], key=text, limit=limit)
        assert len(report) <= limit
        assert "omitted" in report or length < limit


def test_comments_of_long_keys_differ() -> None:
    first, second = (marker("x" * 5_000 + end) for end in "ab")
    assert first != second
    assert len(first) == len(second) < 400


def test_details_are_markdown() -> None:
    assert details("a", "b") == "<details><summary>a</summary>\n\nb\n\n</details>"
