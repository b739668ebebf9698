"""The executable: from anywhere, with whatever Python there is, under both protocols."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import sites
from tests.golden_cases import GOLDEN, Case, documents, items

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION = sites.ROOT / "generators" / "celery-workers"
PLUGIN = sites.ROOT / "generators/plugin/celery.openedx.io/v1alpha1/celeryworkers/CeleryWorkers"
RECOMMENDED = Case(GOLDEN / "recommended")
REFUSED = Case(GOLDEN / "unassigned-error")
WARNED = Case(GOLDEN / "targeting")
# A comment is enough for kustomize's form to be none: kustomize drops comments.
NOT_CANONICAL = b"# a comment\n" + RECOMMENDED.resource_list


def run(
    *command: str | Path, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=stdin, cwd=cwd, env=env, capture_output=True, check=False)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """Return the executable in a repository that has no .venv, and whose package is this one's."""
    root = tmp_path / "with a blank"
    root.mkdir()
    (root / "kustomizer").symlink_to(sites.ROOT / "kustomizer")
    shutil.copytree(sites.ROOT / "generators", root / "generators", symlinks=True)
    return root / "generators" / "celery-workers"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a directory to be the whole PATH, with what the executable itself calls."""
    directory = tmp_path / "path"
    directory.mkdir()
    for tool in ("sh", "readlink"):
        found = shutil.which(tool)
        assert found
        (directory / tool).symlink_to(found)
    return directory


def add_python(path: Path, prelude: str = "") -> dict[str, str]:
    """Put a python3 without site-packages there, that first runs ``prelude``; return the environment."""
    # `python3 -I -S -c CODE …` becomes: our Python, without PyYAML wherever it is looked for, running CODE.
    hide = "sys.modules['yaml'] = None"
    take = "code = sys.argv[4]; sys.argv = ['-c', *sys.argv[5:]]"
    program = f"import sys; {hide}; {prelude or 'pass'}; {take}; exec(code)"
    interpreter = path / "python3"
    interpreter.write_text(f'#!{path}/sh\nexec {sys.executable} -I -S -c "{program}" "$@"\n')
    interpreter.chmod(0o755)
    return {"PATH": str(path)}


def test_it_runs_from_any_directory(tmp_path: Path) -> None:
    for cwd in (tmp_path, sites.ROOT, FUNCTION.parent, Path("/")):
        done = run(FUNCTION, stdin=RECOMMENDED.resource_list, cwd=cwd)

        assert (done.returncode, done.stderr) == (0, b"")
        assert items(done.stdout) == documents(RECOMMENDED.expected)


@pytest.mark.parametrize("name", ["./celery-workers", "../generators/celery-workers"])
def test_it_runs_under_a_relative_name(name: str) -> None:
    done = run("sh", "-c", name, stdin=RECOMMENDED.resource_list, cwd=FUNCTION.parent)

    assert (done.returncode, done.stderr) == (0, b"")


def test_it_runs_where_path_finds_it(alone: Path) -> None:
    env = {**os.environ, "PATH": f"{alone.parent}:{os.environ['PATH']}"}

    done = run("celery-workers", stdin=RECOMMENDED.resource_list, cwd=alone.parent.parent, env=env)

    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_of_the_callers_environment_changes_what_is_run(alone: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for module in ("kustomizer", "re", "sitecustomize"):
        (trap / f"{module}.py").write_text("raise SystemExit('trapped')\n")

    done = run(
        alone, stdin=RECOMMENDED.resource_list, cwd=trap, env={**os.environ, "PYTHONPATH": str(trap), "PYTHONHOME": "/"}
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_plugin_is_the_same_executable(tmp_path: Path) -> None:
    assert PLUGIN.is_symlink()
    assert PLUGIN.resolve() == FUNCTION
    (tmp_path / "config").write_bytes(RECOMMENDED.config)

    done = run(PLUGIN, tmp_path / "config", stdin=RECOMMENDED.stream.encode(), cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == RECOMMENDED.expected


def test_legacy_plugin_gets_its_path_with_blanks_and_more_arguments(alone: Path, tmp_path: Path) -> None:
    (tmp_path / "the config").write_bytes(RECOMMENDED.config)
    # Its python3 has to have PyYAML for a configuration that a person wrote.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = (alone, tmp_path / "the config", "--", "$(reboot)")

    done = run(*command, stdin=RECOMMENDED.stream.encode(), cwd=tmp_path, env=env)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == RECOMMENDED.expected


def test_refused_resource_list() -> None:
    done = run(FUNCTION, stdin=REFUSED.resource_list)

    assert done.returncode == 1
    assert done.stderr.decode() == f"tutor-celery-workers: {REFUSED.stderr}"
    assert done.stdout.startswith(REFUSED.resource_list + b"results:\n")


def test_refused_stream(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(REFUSED.config)

    done = run(PLUGIN, tmp_path / "config", stdin=REFUSED.stream.encode())

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"tutor-celery-workers: {REFUSED.stderr}"


def test_warnings_do_not_fail_the_build() -> None:
    done = run(FUNCTION, stdin=WARNED.resource_list)

    assert done.returncode == 0
    assert done.stderr.decode() == "".join(f"tutor-celery-workers: {line}" for line in WARNED.stderr.splitlines(True))
    assert items(done.stdout) == documents(WARNED.expected)


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file"), ("", "Is a directory")])
def test_configuration_that_cannot_be_read(name: str, reason: str, tmp_path: Path) -> None:
    done = run(PLUGIN, tmp_path / name, stdin=RECOMMENDED.stream.encode())

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"tutor-celery-workers: error: can't read the configuration {tmp_path}")
    assert reason in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_message_with_letters_of_any_kind_in_any_locale() -> None:
    """A message that quotes the configuration can be printed where the terminal knows ASCII alone."""
    given = REFUSED.resource_list.replace(b"high: {}", "high: {}\n        hööh: {queue: é}".encode())
    assert given != REFUSED.resource_list

    done = run(FUNCTION, stdin=given, env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert "hööh".encode() in done.stdout


# Pythons


def test_bare_python_is_enough_for_what_kustomize_writes(alone: Path, path: Path) -> None:
    done = run(alone, stdin=RECOMMENDED.resource_list, env=add_python(path))

    assert (done.returncode, done.stderr) == (0, b"")
    assert items(done.stdout) == documents(RECOMMENDED.expected)


def test_bare_python_says_what_is_missing_for_anything_else(alone: Path, path: Path) -> None:
    done = run(alone, stdin=NOT_CANONICAL, env=add_python(path))

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"tutor-celery-workers: error: the input isn't in the form that kustomize writes")
    assert done.stderr.count(b"\n") == 1


def test_installed_python_takes_anything_else() -> None:
    done = run(FUNCTION, stdin=NOT_CANONICAL)

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_repositorys_environment_comes_first(alone: Path, path: Path) -> None:
    interpreter = alone.parent.parent / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(f"#!{path}/sh\necho of the environment\n")
    interpreter.chmod(0o755)

    assert run(alone, env=add_python(path)).stdout == b"of the environment\n"


def test_no_python_at_all(alone: Path, path: Path) -> None:
    done = run(alone, stdin=RECOMMENDED.resource_list, env={"PATH": str(path)})

    assert (done.returncode, done.stdout) == (127, b"")
    assert done.stderr.decode() == (
        "celery-workers: no python3 on PATH: install Python 3.10 or newer, or run `make demo` once\n"
    )


def test_python_that_is_too_old(alone: Path, path: Path) -> None:
    done = run(alone, stdin=RECOMMENDED.resource_list, env=add_python(path, "sys.version_info = (3, 9)"))

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"celery-workers: Python 3.10 or newer is needed, python3 is 3.")
    assert done.stderr.count(b"\n") == 1
