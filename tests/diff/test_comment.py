"""A report's way onto a pull request, with a server that plays the two hosts' APIs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kustomizer.diff.comment import main
from kustomizer.diff.reports.markdown import marker
from tests import sites
from tests.diff.comments_server import TOKEN, Comments, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

FIRST = marker("overlays/production")
TEXT = f"{FIRST}\n\n### 1 add → 多\n"
NUMBERS = {"github": "PULL_REQUEST", "gitlab": "CI_MERGE_REQUEST_IID"}
TOKENS = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN"}
ADDRESSES = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}


@pytest.fixture
def server() -> Iterator[Comments]:
    with serve() as held:
        yield held


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return for how long it has waited, which takes no time here."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "comment.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def environment(server: Comments, host: str, **more: str) -> dict[str, str]:
    named = {
        "github": {
            "GITHUB_API_URL": server.url,
            "GITHUB_REPOSITORY": "owner/site",
            "GITHUB_TOKEN": TOKEN,
            "PULL_REQUEST": "7",
        },
        "gitlab": {
            "CI_API_V4_URL": server.url,
            "CI_MERGE_REQUEST_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        },
    }[host]
    return {**named, **more}


def post(server: Comments, host: str, report: Path, **more: str) -> Result:
    """Return what it says and how it ends, with nothing else in its environment."""
    done = CliRunner().invoke(
        main, [host, str(report)], env={**dict.fromkeys(os.environ), **environment(server, host, **more)}
    )
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def post_as_a_job_does(server: Comments, host: str, report: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kustomizer.diff.comment", host, report],
        env={"PYTHONPATH": str(sites.ROOT), "LANG": "C.UTF-8", **environment(server, host)},
        check=False,
        capture_output=True,
        text=True,
    )


both = pytest.mark.parametrize("host", ["github", "gitlab"])


@both
def test_a_comment_is_created_where_there_is_none(server: Comments, report: Path, host: str) -> None:
    server.add("Looks good to me")
    server.add(f"{marker('overlays/staging')}\n\nanother site's")
    done = post_as_a_job_does(server, host, report)
    assert (done.returncode, done.stderr) == (0, "Created the comment\n")
    assert done.stdout == "https://host.example/3\n"
    assert server.bodies[2:] == [TEXT]


@both
def test_a_comment_is_changed_where_it_stands(server: Comments, report: Path, host: str) -> None:
    server.add("Looks good to me")
    server.add(f"{FIRST}\r\n\r\nolder\r\n")
    done = post(server, host, report)
    assert (done.exit_code, done.stderr) == (0, "Changed the comment\n")
    assert server.bodies == ["Looks good to me", TEXT]


@both
@pytest.mark.parametrize("number", [99, 100, 205])
def test_a_comment_is_found_on_any_page(server: Comments, report: Path, host: str, number: int) -> None:
    for count in range(number):
        server.add(f"comment {count}")
    server.add(f"{FIRST}\nolder")
    for count in range(5):
        server.add(f"later comment {count}")
    assert post(server, host, report).exit_code == 0
    assert server.bodies[number] == TEXT
    assert len(server.comments) == number + 6


@both
def test_another_ones_comment_that_begins_as_ours_stays(server: Comments, report: Path, host: str) -> None:
    server.add(f"{FIRST}\nsomebody's", login="somebody", author=9)
    server.add(f"Quoting:\n{FIRST}\n")
    assert post(server, host, report).exit_code == 0
    assert server.bodies[0] == f"{FIRST}\nsomebody's"
    assert server.bodies[2:] == [TEXT]


def test_the_author_may_be_another(server: Comments, report: Path) -> None:
    server.add(f"{FIRST}\nold", login="our-bot")
    assert post(server, "github", report, COMMENT_AUTHOR="our-bot").exit_code == 0
    assert server.bodies == [TEXT]


@both
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_that_may_only_read_is_no_failure(server: Comments, report: Path, host: str, status: int) -> None:
    server.answers = [(status, {})]
    done = post(server, host, report)
    assert done.exit_code == 0
    assert "this token may not comment" in done.stderr
    assert done.stderr.count("\n") == 1
    assert ("::warning " in done.stderr) == (host == "github")
    assert server.comments == []


@both
def test_a_busy_host_is_asked_again(server: Comments, report: Path, waits: list[float], host: str) -> None:
    server.answers = [(503, {"Retry-After": "7"}), (503, {})]
    assert post(server, host, report).exit_code == 0
    assert server.bodies == [TEXT]
    assert waits == [7, 1]


@both
def test_a_host_that_stays_busy_is_an_error(server: Comments, report: Path, host: str) -> None:
    server.answers = [(503, {})] * 3
    done = post(server, host, report)
    assert done.exit_code == 1
    assert "503 status 503\\n::error::injected" in done.output
    assert TOKEN not in done.output
    assert server.comments == []


@both
def test_no_comment_is_posted_twice(server: Comments, report: Path, host: str) -> None:
    """Behind a gateway that gave up the comment may be there."""
    server.fail_after = (502, "POST")
    done = post(server, host, report)
    assert done.exit_code == 1
    assert server.bodies == [TEXT]
    assert [each.split(" ")[0] for each in server.asked].count("POST") == 1


@both
def test_an_answer_of_something_else_is_an_error(server: Comments, report: Path, host: str) -> None:
    server.answers = [(200, {})] * 2
    done = post_as_a_job_does(server, host, report)
    assert done.returncode == 1
    assert "the answer isn't that of an API of comments" in done.stderr
    assert server.comments == []


@both
def test_a_text_that_is_refused_is_an_error(server: Comments, report: Path, host: str) -> None:
    server.answers = [(422, {})]
    done = post(server, host, report)
    assert done.exit_code == 1
    assert "422" in done.output
    assert len(server.asked) == 1


@both
def test_the_token_goes_nowhere_else(server: Comments, report: Path, host: str) -> None:
    with serve() as elsewhere:
        server.answers = [(302, {"Location": elsewhere.url})]
        assert post(server, host, report).exit_code == 1
        assert elsewhere.asked == []


@both
@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (NUMBERS, "", "the environment has no "),
        (NUMBERS, "7/../8", "is no number: 7/../8"),
        (TOKENS, "", "the environment has no "),
        (ADDRESSES, "file:///etc", "file:///etc is no address of an API"),
        (ADDRESSES, "http://127.0.0.1:1", "http://127.0.0.1:1/"),
    ],
)
def test_what_is_missing_is_said(
    server: Comments, report: Path, *, host: str, names: dict[str, str], value: str, message: str
) -> None:
    done = post(server, host, report, **{names[host]: value})
    assert done.exit_code == 1
    assert message in done.output
    assert server.asked in ([], ["GET /user"])
