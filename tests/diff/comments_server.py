"""A server that plays the comments of GitHub's and GitLab's APIs, as far as ours asks them."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "token-of-the-test"
GITHUB = re.compile(r"/repos/owner/site/issues/(?:7/comments|comments/(?P<id>\d+))")
GITLAB = re.compile(r"/projects/12/merge_requests/7/notes(?:/(?P<id>\d+))?")


class Comments:
    """What the server holds, and what it was asked."""

    url: str

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        """Statuses and headers to answer with before anything else."""
        self.fail_after: tuple[int, str] | None = None
        """A status to answer with once such a request was carried out."""

    def add(self, body: str, login: str = "github-actions[bot]", author: int = 5) -> None:
        number = len(self.comments) + 1
        self.comments.append({"id": number, "body": body, "user": {"login": login}, "author": {"id": author}})

    @property
    def bodies(self) -> list[str]:
        return [each["body"] for each in self.comments]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Return the status and what to say."""
        path = urlsplit(target).path
        if path == "/user":
            return 200, {"id": 5}
        match = GITHUB.fullmatch(path) or GITLAB.fullmatch(path)
        if match is None:
            return 404, {"message": "Not Found"}
        if match["id"] and method == ("PATCH" if path.startswith("/repos") else "PUT"):
            comment = self.comments[int(match["id"]) - 1]
            comment["body"] = body["body"]
            return 200, {**comment, "html_url": f"https://host.example/{comment['id']}"}
        if method == "POST" and not match["id"]:
            self.add(body["body"])
            return 201, {**self.comments[-1], "html_url": f"https://host.example/{len(self.comments)}"}
        if method == "GET" and not match["id"]:
            query = parse_qs(urlsplit(target).query)
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[size * (page - 1) : size * page]
        return 405, {"message": "Method Not Allowed"}


@contextlib.contextmanager
def serve() -> Iterator[Comments]:
    """Run a server on a free port until the block ends."""
    held = Comments()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            held.asked.append(f"{self.command} {self.path}")
            headers: dict[str, str] = {}
            given = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("PRIVATE-TOKEN")
            if held.answers:
                status, headers = held.answers.pop(0)
                said: Any = {"message": f"status {status}\n::error::injected"}
            elif given != TOKEN:
                status, said = 401, {"message": "Bad credentials"}
            else:
                status, said = held.answer(self.command, self.path, body)
            if held.fail_after is not None and held.fail_after[1] == self.command:
                status = held.fail_after[0]
            data = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _do  # noqa: N815 - as http.server calls them

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
