"""`tutor-kustomizer build` without click does what it does with it, and everything else goes to click."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from kustomizer import __version__
from kustomizer.cli import run
from kustomizer.start import PlainBuild, plain_build
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands, environment

OVERLAY = "resources: [../env]\ntransformers: [config.yaml]\n"
BY_CLICK = [sys.executable, "-c", "from kustomizer.cli import run; run()"]
AT_ONCE = [sys.executable, "-c", "from kustomizer.start import run; run()"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("build", PlainBuild()),
        ("build .", PlainBuild(overlay=".")),
        ("build /usr", PlainBuild(overlay="/usr")),
        ("build -o a /usr", PlainBuild(overlay="/usr", output="a")),
        ("build /usr --output a --kustomize b", PlainBuild(overlay="/usr", output="a", executable="b")),
        ("", None),
        ("--version", None),
        ("-v build", None),
        ("check /usr", None),
        ("build -h", None),
        ("build -v", None),
        ("build --all /usr", None),
        ("build / /usr", None),
        ("build /nowhere", None),
        ("build -oa", None),
        ("build --output=a", None),
        ("build -o", None),
        ("build -o a -o b", None),
        ("build -- /usr", None),
    ],
)
def test_what_click_has_to_read(line: str, expected: PlainBuild | None) -> None:
    build = plain_build(line.split())
    assert (build and vars(build)) == (expected and vars(expected))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with overlays, next to what builds them."""
    bin_directory = commands(tmp_path)
    old = tmp_path / "old" / "kustomize"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho v5.1.1\n")
    old.chmod(0o755)
    (tmp_path / "env").symlink_to(sites.site("22"))
    configs = {
        "good": RECOMMENDED,
        "warned": "spec: {unassignedQueues: Ignore, workers: {lms: {high: {}}}}\n",
        "refused": "spec: {workers: {lms: {hgh: {}}}}\n",
        "skipped": RECOMMENDED,
    }
    for name, spec in configs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(HEAD + EXEC + spec)
        (tmp_path / name / "kustomization.yaml").write_text(OVERLAY)
    (tmp_path / "skipped" / "kustomization.yaml").write_text("resources: [../env]\n")
    assert bin_directory.is_dir()
    return tmp_path


def ran(place: Path, command: list[str], line: str, path: str) -> tuple[int, bytes, str, dict[str, str]]:
    done = subprocess.run(
        [*command, *line.split()],
        cwd=place,
        env=environment(place, PATH=path.format(place=place), PYTHONPATH=str(sites.ROOT), TMPDIR=str(place / "tmp")),
        capture_output=True,
        check=False,
    )
    assert list((place / "tmp").iterdir()) == [], "something was left behind"
    written = {file.name: file.read_text() for file in place.glob("out*")}
    return done.returncode, done.stdout, done.stderr.decode(), written


USUAL = "{place}/bin:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("line", "path", "status"),
    [
        ("build good", USUAL, 0),
        ("build good -o out.yaml", USUAL, 0),
        ("build good -o nowhere/out.yaml", USUAL, 1),
        ("build warned", USUAL, 0),
        ("build refused", USUAL, 1),
        ("build refused -o out.yaml", USUAL, 1),
        ("build skipped", USUAL, 1),
        ("build", USUAL, 1),
        ("build env/kustomization.yml", USUAL, 1),
        ("build good --kustomize old/kustomize", USUAL, 1),
        ("build good --kustomize nowhere", USUAL, 1),
        ("build good --kustomize /bin/true", USUAL, 1),
        ("build good --kustomize env/kustomization.yml", USUAL, 1),
        # An old one on PATH, which may have kubectl, too, or has nothing else.
        ("build good", "{place}/old:/usr/bin:/bin", None),
        ("build good", "{place}/old:{place}/none", 1),
        ("build good", "{place}/none", 1),
    ],
)
def test_it_does_what_click_would_have_it_do(line: str, path: str, status: int | None, place: Path) -> None:
    (place / "tmp").mkdir()
    by_click = ran(place, BY_CLICK, line, path)
    for file in place.glob("out*"):
        file.unlink()
    at_once = ran(place, AT_ONCE, line, path)

    assert at_once == by_click
    assert status in {None, at_once[0]}, at_once[2]
    assert at_once[0] or (
        b"name: lms-worker-high\n" in at_once[1] or "name: lms-worker-high\n" in at_once[3]["out.yaml"]
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("build good --kustomize /bin/true", "/bin/true isn't kustomize: `/bin/true version` prints nothing"),
        ("build good/config.yaml", "good/config.yaml is a file. Name the directory with the kustomization"),
    ],
)
def test_what_cannot_be_built_or_built_with(line: str, said: str, place: Path) -> None:
    (place / "tmp").mkdir()
    assert ran(place, AT_ONCE, line, USUAL)[::2] == (1, f"Error: {said}\n")


def test_one_that_lies_near_the_overlay_is_not_taken(place: Path) -> None:
    """Whoever wrote the overlay could have put it there."""
    (place / "tmp").mkdir()
    (place / ".tools").mkdir()
    (place / ".tools" / "bin").symlink_to(place / "bin")

    status, stdout, stderr, _ = ran(place, AT_ONCE, "build good", "{place}/old:{place}/none")
    assert (status, stdout) == (1, b"")
    assert "old/kustomize is kustomize v5.1.1" in stderr


def test_click_is_not_imported(place: Path) -> None:
    code = "import sys\nfrom kustomizer.start import run\nrun()\nprint(*sys.modules, file=sys.stderr)"
    (place / "tmp").mkdir()
    status, _, stderr, _ = ran(
        place,
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(sites.ROOT)!r})\n{code}"],
        "build good",
        USUAL,
    )
    assert status == 0, stderr
    expensive = {"click", "subprocess", "tempfile", "shutil", "pathlib", "concurrent", "kustomizer.function", "yaml"}
    assert not expensive & set(stderr.split())


@pytest.mark.parametrize("stdout", ["", ">/dev/full", ">&-"])
def test_the_version_is_told_as_click_tells_it(stdout: str) -> None:
    told = []
    for command in (BY_CLICK, AT_ONCE):
        line = f'"$@" {stdout}'
        done = subprocess.run(["/bin/sh", "-c", line, "sh", *command, "--version"], capture_output=True, check=False)
        told.append((done.returncode, done.stdout, done.stderr))
    assert told[0] == told[1]
    assert stdout or told[0] == (0, f"tutor-kustomizer, version {__version__}\n".encode(), b"")


IMPORTED = """
import sys
from kustomizer.start import run
try:
    run()
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


# Python 3.10 imports it with uuid, and click that.
SUBPROCESS = {"subprocess"} if sys.version_info >= (3, 11) else set()


@pytest.mark.parametrize(
    ("line", "not_needed"),
    [
        ("--version", {"click", "re", "typing"}),
        ("queues FILE", {"ruamel", "tempfile", "random", "kustomizer.masking", *SUBPROCESS}),
        ("check FILE", {"ruamel", "hashlib", "tempfile", "kustomizer.masking.masking", "kustomizer.export"}),
        ("diff FILE FILE", {"ruamel", "hashlib", "kustomizer.export", "kustomizer.diff.reports.html"}),
    ],
)
def test_what_a_short_command_does_not_need_is_not_imported(line: str, not_needed: set[str], tmp_path: Path) -> None:
    file = tmp_path / "built.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n")
    words = [str(file) if word == "FILE" else word for word in line.split()]
    code = f"import sys; sys.path.insert(0, {str(sites.ROOT)!r})\n{IMPORTED}"
    done = subprocess.run([sys.executable, "-I", "-c", code, *words], capture_output=True, check=True, text=True)
    assert not not_needed & set(done.stderr.split())


def test_python_seldom_looks_for_garbage() -> None:
    before = gc.get_threshold()
    try:
        with pytest.raises(SystemExit):
            run(["--version"])
        assert gc.isenabled()
        assert gc.get_threshold()[0] > 20 * before[0]
    finally:
        gc.set_threshold(*before)
