"""A real Redis on a port of its own, with a password, a user or TLS, which is gone when the test is."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import redis

from tests import parts
from tests.processes import PATIENCE
from tests.sites import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
SITE_HOST = "127.0.0.2"
"""Where a site says that it is: 127.0.0.1 would be a proxy in the worker's own pod."""


class RedisServer(NamedTuple):
    """Where the server is and what it asks of a client; ``ca`` is the file of the authority that signed for it."""

    port: int
    username: str = ""
    password: str = ""
    ca: Path | None = None

    @contextmanager
    def client(self, database: int = 0) -> Iterator[redis.Redis]:
        """Return a client for one of its databases."""
        given = {"ssl": True, "ssl_ca_certs": str(self.ca)} if self.ca else {}
        client = redis.Redis(
            host=HOST,
            port=self.port,
            db=database,
            username=self.username or None,
            password=self.password or None,
            decode_responses=True,
            **given,  # type: ignore[arg-type]
        )
        with client:
            yield client


@contextmanager
def redis_server(
    directory: Path, *, username: str = "", password: str = "", tls: bool = False
) -> Iterator[RedisServer]:
    """Run a server that keeps what it has in ``directory``. It has Redis' sixteen databases."""
    program = parts.program("redis-server")
    directory.mkdir(parents=True, exist_ok=True)
    ca = private_authority(directory) if tls else None
    server = RedisServer(port=_free_port(), username=username, password=password, ca=ca)
    config = directory / "redis.conf"
    config.write_text("\n".join(_config(directory, server)) + "\n")
    with (directory / "redis.log").open("wb") as log:
        process = subprocess.Popen([program, str(config)], stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(server, process, directory)
            yield server
        finally:
            process.kill()
            process.wait()


def _config(directory: Path, server: RedisServer) -> Iterator[str]:
    yield f"bind {HOST} {SITE_HOST}"
    yield f'dir "{directory}"'
    yield 'save ""'
    yield f"{'tls-port' if server.ca else 'port'} {server.port}"
    if server.ca:
        yield "port 0"
        yield f'tls-ca-cert-file "{server.ca}"'
        yield f'tls-cert-file "{directory / "server.crt"}"'
        yield f'tls-key-file "{directory / "server.key"}"'
        yield "tls-auth-clients no"
    if server.username:
        yield "user default off"
        yield f'user {server.username} on "~*" "&*" +@all ">{server.password}"'
    elif server.password:
        yield f'requirepass "{server.password}"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: RedisServer, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with server.client() as client:
                client.ping()
        except (redis.ConnectionError, redis.BusyLoadingError):
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"redis-server isn't up:\n{(directory / 'redis.log').read_text()}")


def private_authority(directory: Path) -> Path:
    """Make an authority that nobody else knows and have it sign for 127.0.0.1; return the authority's certificate."""
    ca, extensions = directory / "ca.crt", directory / "extensions.cnf"
    # By the names that a cluster gives it, too: `redis` for a pod, `redis.<namespace>` for KEDA.
    names = f"subjectAltName = IP:{HOST}, IP:{SITE_HOST}, DNS:redis, DNS:redis.openedx"
    # The key identifiers and usage are what Python 3.13 and newer ask of a certificate.
    extensions.write_text(f"{names}\nauthorityKeyIdentifier = keyid\n")
    new = ("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    usage = ("-addext", "keyUsage = critical, keyCertSign, cRLSign")
    run(*new, "-x509", "-days", "1", "-subj", "/CN=ca", *usage, "-keyout", directory / "ca.key", "-out", ca)
    request = directory / "server.csr"
    run(*new, "-subj", "/CN=redis", "-keyout", directory / "server.key", "-out", request)
    signing = ("openssl", "x509", "-req", "-days", "1", "-in", request, "-extfile", extensions)
    run(*signing, "-CA", ca, "-CAkey", directory / "ca.key", "-CAcreateserial", "-out", directory / "server.crt")
    return ca
