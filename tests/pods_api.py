"""What lists a namespace's pods where there is no API server: pages, a bearer token and TLS as the real one's."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.redis_server import HOST, private_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TOKEN = "token-of-the-account"


class PodsApi:
    """Where it is, what a pod of the account has in its volume, and what was asked."""

    def __init__(self, directory: Path) -> None:
        self.account = directory
        self.port = 0
        self.status = 200
        """What it answers; anything else than 200 is a refusal."""
        self.asked: list[str] = []

    @property
    def environ(self) -> dict[str, str]:
        """What the kubelet tells each container of it."""
        return {"KUBERNETES_SERVICE_HOST": HOST, "KUBERNETES_SERVICE_PORT": str(self.port)}


@contextlib.contextmanager
def pods_api(directory: Path, namespace: str, pods: Callable[[], Sequence[dict[str, Any]]]) -> Iterator[PodsApi]:
    """Answer what ``pods`` returns at that time."""
    directory.mkdir(parents=True)
    private_authority(directory)
    (directory / "token").write_text(TOKEN)
    (directory / "namespace").write_text(namespace)
    api = PodsApi(directory)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            given = {name: values[0] for name, values in parse_qs(url.query).items()}
            api.asked.append(self.path)
            status = api.status
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status = 401
            elif url.path != f"/api/v1/namespaces/{namespace}/pods":
                status = 404
            start, size, items = int(given.get("continue", "0")), int(given["limit"]), list(pods())
            following = str(start + size) if start + size < len(items) else ""
            page = {"metadata": {"continue": following}, "items": items[start : start + size]}
            body = json.dumps(page if status == 200 else {"message": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.crt", directory / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    api.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
