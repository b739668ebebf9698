"""What a server answers that isn't as it should be, and what is never said of it."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from kustomizer.cluster.web import Server, server
from kustomizer.errors import UserError
from tests.flower_process import free_port
from tests.redis_server import private_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLE = "PROMETHEUS_CREDENTIALS"
SECRET = "s3cret"


class Answers:
    """What a server answers with, and the headers that it was asked with."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.body = b"{}"
        self.headers: dict[str, str] = {}
        self.authorizations: list[str | None] = []
        self.context: ssl.SSLContext | None = None


@pytest.fixture
def answers() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.authorizations.append(self.headers["Authorization"])
            redirected = self.path.startswith("/other")
            self.send_response(200 if redirected else answers.status)
            for name, value in () if redirected else answers.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answers.body)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, object]:
            connection, address = super().get_request()
            if answers.context is not None:
                try:
                    connection = answers.context.wrap_socket(connection, server_side=True)
                except OSError:
                    connection.close()
                    raise
            return connection, address

    with Listener(("127.0.0.1", 0), Handler) as running:
        answers.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield answers
        running.shutdown()


def asked(url: str, secret: str = "", ca: Path | None = None) -> Server:
    return server(url, name="Prometheus", option="--prometheus", credentials=(VARIABLE, secret), ca=ca)


def refusal(asks: Server) -> str:
    with pytest.raises(UserError) as refused:
        asks.get("/api", {"query": "up"})
    assert SECRET not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("secret", "header"),
    [("", None), ("user:pa ss:ö", "Basic dXNlcjpwYSBzczrDtg=="), ("a.token-1=", "Bearer a.token-1=")],
)
def test_credentials(secret: str, header: str | None, answers: Answers) -> None:
    assert asked(f"{answers.url}/", secret).get("/api", {"query": "up"}) == {}
    assert answers.authorizations == [header]


@pytest.mark.parametrize(
    "url",
    [f"http://user:{SECRET}@host", f"http://{SECRET}@host", f"https://host/?token={SECRET}", f"http://host/#{SECRET}"],
)
def test_credentials_in_an_argument_are_refused(url: str) -> None:
    with pytest.raises(UserError) as refused:
        asked(url)
    assert f"the environment variable {VARIABLE}" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "host:9090", f"ftp://user:{SECRET}@host", "http://", "http://host:port", f"http://[{SECRET}"]
)
def test_no_url(url: str) -> None:
    with pytest.raises(UserError) as refused:
        asked(url)
    assert str(refused.value) == "--prometheus isn't a URL of http or https. Like http://127.0.0.1:9090"


@pytest.mark.parametrize("secret", [f"{SECRET}\nX", f"tok en{SECRET}", f"ö{SECRET}"])
def test_a_token_that_is_none(secret: str) -> None:
    with pytest.raises(UserError) as refused:
        asked("http://host", secret)
    assert f"{VARIABLE} holds neither" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", f"it refuses access (401). {VARIABLE} holds its USER:PASSWORD, or a token; it was asked with those"),
        (403, b"", "it refuses access (403)"),
        (500, b"oops", "it answers 500"),
        (400, b'{"error": "parse error"}', "it answers 400: parse error"),
        (422, b'{"error": "query processing would load too many samples"}', "too many samples. Ask for less, as with"),
        (200, b"<html>", "it answers, but not in JSON. Is --prometheus the URL of Prometheus?"),
    ],
)
def test_other_answers(status: int, body: bytes, said: str, answers: Answers) -> None:
    answers.status, answers.body = status, body
    message = refusal(asked(answers.url, f"user:{SECRET}"))
    assert message.startswith(f"Prometheus at {answers.url}: ")
    assert said in message


def test_a_redirection_within_the_server_is_followed(answers: Answers) -> None:
    answers.status, answers.headers = 302, {"Location": "/other"}
    assert asked(answers.url, SECRET).get("/api", {}) == {}
    assert answers.authorizations == [f"Bearer {SECRET}"] * 2


def test_a_redirection_to_another_server_isnt(answers: Answers) -> None:
    elsewhere = free_port()
    answers.status, answers.headers = 302, {"Location": f"http://user:{SECRET}@127.0.0.2:{elsewhere}/"}
    assert "it redirects to http://127.0.0.2. If that is meant, name it with --prometheus" in refusal(
        asked(answers.url, SECRET)
    )


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert (
        f"{url}: it can't be reached: Connection refused. From outside of the cluster: kubectl port-forward"
        in refusal(asked(url))
    )


def test_a_certificate_of_a_private_authority(answers: Answers, tmp_path: Path) -> None:
    authority = private_authority(tmp_path)
    answers.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    answers.context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    url = answers.url.replace("http", "https")
    assert "its certificate isn't valid here: " in refusal(asked(url))
    assert asked(url, ca=authority).get("/api", {}) == {}
    assert "its certificate isn't valid here: Hostname mismatch" in refusal(
        asked(url.replace("127.0.0.1", "localhost"), ca=authority)
    )
    assert "TLS fails" in refusal(asked(url, ca=tmp_path / "server.key"))
