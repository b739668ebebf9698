"""Certificates of the test's own: one authority, a server's for loopback, a client's for the API's aggregator."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.sites import run

_EXTENSIONS = "subjectAltName = DNS:localhost, DNS:keda-operator.keda.svc, IP:127.0.0.1\n"
_NEW = ("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates(NamedTuple):
    """Where the files are. ``directory`` has the server's under the names that KEDA's programs look for."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The certificate that all others are checked against."""
        return self.directory / "ca.crt"

    def pair(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of ``tls`` (the server) or ``aggregator`` (the client)."""
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"


def certificates(directory: Path) -> Certificates:
    """Make them in ``directory``."""
    directory.mkdir()
    made = Certificates(directory)
    ca_key = directory / "ca.key"
    run(*_NEW, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", ca_key, "-out", made.authority)
    extensions = directory / "extensions.cnf"
    extensions.write_text(_EXTENSIONS)
    for name in ("tls", "aggregator"):
        certificate, key = made.pair(name)
        request = directory / f"{name}.csr"
        run(*_NEW, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        signing = ("openssl", "x509", "-req", "-days", "2", "-in", request, "-extfile", extensions)
        run(*signing, "-CA", made.authority, "-CAkey", ca_key, "-CAcreateserial", "-out", certificate)
    # Service account tokens are signed with an RSA key; nobody here uses one.
    run("openssl", "genrsa", "-out", directory / "service-account.key", "2048")
    return made
