"""Puts a report on a pull request or a merge request as a comment, and replaces the comment of an earlier run.

The GitHub Action and the GitLab job run it as ``python -m kustomizer.diff.comment github FILE``. It reads its settings
from the environment that these two set. Nothing else of `tutor-kustomizer diff` uses the network.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from kustomizer.errors import UserError
from kustomizer.manifests.digits import whole_number
from kustomizer.record import Record
from kustomizer.system.visible import visible

_PAGE = 100
_TRIES = 3
_LONGEST_WAIT = 30
_TIMEOUT = 30
_REFUSED = (401, 403, 404)
"""Statuses for a token that may only read, such as that of a fork's pull request. GitHub may answer 404 then."""
_BUSY = {"POST": (429, 503)}
"""Statuses after which a request is sent again; after any other one the comment may be there already."""
_BUSY_READING = (429, 500, 502, 503, 504)


class CommentRefusedError(Exception):
    """The token may not comment."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, so that the token goes to the API that was named and nowhere else."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


class Host(Record):
    """The comments of one pull request or merge request in a code host's API."""

    comments: str
    """The URL of the request's comments."""
    edited: str
    """The URL of one comment, with ``{id}`` for its number."""
    method: str
    """The HTTP method that changes a comment."""
    headers: Mapping[str, str]
    author: tuple[str, str, Any] | None
    """The comment's field for its author, the author's field, and its value in our own comments; None takes any."""

    def find(self, first_line: str) -> str | None:
        """Return the number of our comment that begins with ``first_line``, None where there is none."""
        for comment in self._every():
            lines = str(comment.get("body") or "").splitlines()
            if lines[:1] == [first_line] and self._is_ours(comment):
                return str(comment["id"])
        return None

    def post(self, text: str) -> tuple[str, str]:
        """Create or change the comment; return which of the two, and its URL where the host tells it."""
        number = self.find(text.split("\n", 1)[0])
        method, url = ("POST", self.comments) if number is None else (self.method, self.edited.replace("{id}", number))
        answer = request(method, url, self.headers, {"body": text})
        return "Created" if number is None else "Changed", str(answer.get("html_url", ""))

    def _every(self) -> Iterator[Mapping[str, Any]]:
        page = 1
        while True:
            comments = request("GET", f"{self.comments}?per_page={_PAGE}&page={page}", self.headers, kind=list)
            yield from (comment for comment in comments if isinstance(comment, dict))
            if len(comments) < _PAGE:
                return
            page += 1

    def _is_ours(self, comment: Mapping[str, Any]) -> bool:
        # A comment of somebody else that begins with our first line isn't rewritten.
        if self.author is None:
            return True
        author, field, value = self.author
        return bool((comment.get(author) or {}).get(field) == value)


def github(environment: Mapping[str, str]) -> Host:
    """Return a pull request's place. Raises UserError where the environment lacks something.

    https://docs.github.com/rest/issues/comments: a pull request is an issue, too.
    """
    api, repository = _needed(environment, "GITHUB_API_URL"), _needed(environment, "GITHUB_REPOSITORY")
    issues = f"{_address(api)}/repos/{repository}/issues"
    author = environment.get("COMMENT_AUTHOR", "github-actions[bot]")
    return Host(
        comments=f"{issues}/{_number(environment, 'PULL_REQUEST')}/comments",
        edited=f"{issues}/comments/{{id}}",
        method="PATCH",
        headers={
            "Authorization": f"Bearer {_needed(environment, 'GITHUB_TOKEN')}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        author=("user", "login", author) if author else None,
    )


def gitlab(environment: Mapping[str, str]) -> Host:
    """Return a merge request's place. Raises UserError where the environment lacks something.

    Raises CommentRefusedError where the host doesn't know the token.
    https://docs.gitlab.com/api/notes/; the job's own token may not write notes.
    """
    api = _address(_needed(environment, "CI_API_V4_URL"))
    project = _number(environment, "CI_MERGE_REQUEST_PROJECT_ID")
    headers = {"PRIVATE-TOKEN": _needed(environment, "GITLAB_TOKEN")}
    notes = f"{api}/projects/{project}/merge_requests/{_number(environment, 'CI_MERGE_REQUEST_IID')}/notes"
    bot = request("GET", f"{api}/user", headers).get("id")
    if bot is None:
        raise UserError.of(f"GET {api}/user: the answer isn't that of an API of comments")
    return Host(
        comments=notes,
        edited=f"{notes}/{{id}}",
        method="PUT",
        headers=headers,
        author=("author", "id", bot),
    )


def request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
    *,
    kind: type[list[Any]] | type[dict[str, Any]] = dict,
) -> Any:
    """Return the API's answer, which has to be of ``kind``; a busy API is asked again.

    Raises CommentRefusedError where the token may not do this, UserError for any other failure. No message holds the
    token.
    """
    call = urllib.request.Request(  # noqa: S310 - _address has looked at the scheme
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={**headers, "Content-Type": "application/json", "User-Agent": "tutor-kustomizer"},
    )
    for tries_left in reversed(range(_TRIES)):
        try:
            with urllib.request.build_opener(_NoRedirect).open(call, timeout=_TIMEOUT) as answer:
                content = json.load(answer)
            if not isinstance(content, kind):
                raise UserError.of(f"{method} {url}: the answer isn't that of an API of comments")
            return content
        except urllib.error.HTTPError as error:
            with error:
                message = _message(error)
            if error.code in _BUSY.get(method, _BUSY_READING) and tries_left:
                seconds = whole_number(error.headers.get("Retry-After") or "1")
                time.sleep(1 if seconds is None else min(seconds, _LONGEST_WAIT))
                continue
            if error.code in _REFUSED:
                raise CommentRefusedError(f"{error.code} {message}") from None
            raise UserError.of(f"{method} {url}: {error.code} {message}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, ValueError) or method == "POST" or not tries_left:
                raise UserError.of(f"{method} {url}: {error}") from None
            time.sleep(1)
    raise AssertionError("every round returns or raises")


def _message(error: urllib.error.HTTPError) -> str:
    """Return the API's message about an error, as one line."""
    try:
        answer = json.load(error)
    except (OSError, ValueError):
        return error.reason
    message = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return visible(str(message or error.reason))


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise UserError.of(f"the environment has no {name}")
    return value


def _number(environment: Mapping[str, str], name: str) -> str:
    value = _needed(environment, name)
    if not (value.isascii() and value.isdecimal()):
        raise UserError.of(f"{name} is no number: {visible(value)}")
    return value


def _address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise UserError.of(f"{visible(url)} is no address of an API")
    return url.rstrip("/")


@click.command()
@click.argument("host", type=click.Choice(["github", "gitlab"]))
@click.argument("report", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(host: str, report: Path) -> None:
    """Put REPORT, Markdown of `tutor-kustomizer diff`, on this job's pull or merge request, and print its address."""
    text = report.read_text(encoding="utf-8")
    try:
        comments = (github if host == "github" else gitlab)(os.environ)
        action, url = comments.post(text)
    except CommentRefusedError as refused:
        begin = "::warning title=tutor-kustomizer diff::" if host == "github" else "Warning: "
        click.echo(f"{begin}this token may not comment ({refused}); the report is in the job's own output", err=True)
        return
    except UserError as error:
        sys.exit(f"Error: {error}")
    click.echo(f"{action} the comment", err=True)
    if url:
        click.echo(visible(url))


if __name__ == "__main__":
    main()
