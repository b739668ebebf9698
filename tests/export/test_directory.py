"""An export that is written again loses nothing of the user's."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kustomizer.errors import UserError
from kustomizer.export.directory import RECORD, differences, write_export
from kustomizer.export.parts import File
from tests.export.interrupted import MINE, NEW, OLD


def files_in(directory: Path) -> dict[str, str]:
    return {path.relative_to(directory).as_posix(): path.read_text() for path in directory.rglob("*") if path.is_file()}


def texts(files: dict[str, File]) -> dict[str, str]:
    return {name: file.text for name, file in files.items()}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return an export."""
    write_export(tmp_path / "plain", OLD)
    return tmp_path / "plain"


def test_nothing_is_gone_wherever_an_export_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.export.interrupted", str(tmp_path / "plain")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(int(steps) > 10 for steps in done.stdout.split())


def test_files_that_export_did_not_write_stay(directory: Path) -> None:
    for name, text in MINE.items():
        (directory / name).write_text(text)
    assert write_export(directory, NEW) == []
    files = files_in(directory)
    del files[RECORD]
    assert files == texts(NEW) | MINE
    assert list(differences(directory, NEW)) == []


def test_an_edited_file_is_kept_and_named(directory: Path) -> None:
    (directory / "patches/a.yaml").write_text("a: mine\n")
    (directory / "patches/gone.yaml").write_text("gone: mine\n")
    for _ in range(2):
        assert write_export(directory, NEW) == ["patches/a.yaml", "patches/gone.yaml"]
        assert (directory / "patches/a.yaml").read_text() == "a: mine\n"
        assert (directory / "patches/gone.yaml").read_text() == "gone: mine\n"
        assert list(differences(directory, NEW)) == ["differs: patches/a.yaml", "left over: patches/gone.yaml"]
    assert write_export(directory, NEW, force=True) == []
    assert list(differences(directory, NEW)) == []
    assert not (directory / "patches/gone.yaml").exists()


def test_a_file_of_the_users_where_a_new_one_goes_is_kept(directory: Path) -> None:
    (directory / "resources").mkdir()
    (directory / "resources/b.yaml").write_text("mine\n")
    assert write_export(directory, NEW) == ["resources/b.yaml"]
    assert (directory / "resources/b.yaml").read_text() == "mine\n"


def test_a_deleted_file_is_written_again(directory: Path) -> None:
    (directory / "patches/a.yaml").unlink()
    assert write_export(directory, OLD) == []
    assert (directory / "patches/a.yaml").read_text() == "a: 1\n"


def test_a_directory_that_becomes_empty_goes(directory: Path) -> None:
    rest = {name: file for name, file in OLD.items() if not name.startswith("patches/")}
    write_export(directory, rest)
    assert not (directory / "patches").exists()


def test_a_file_with_a_password_has_no_digest(tmp_path: Path) -> None:
    directory = tmp_path / "plain"
    secret = {"resources/a.yaml": File(text="password: abc\n", passwords=("password",))}
    write_export(directory, OLD | secret)
    assert stat.S_IMODE((directory / "resources/a.yaml").stat().st_mode) == 0o600
    assert "# no digest:  resources/a.yaml\n" in (directory / RECORD).read_text()
    changed = {"resources/a.yaml": File(text="password: abcd\n", passwords=("password",))}
    assert write_export(directory, OLD | changed) == ["resources/a.yaml"]
    assert write_export(directory, OLD) == ["resources/a.yaml"]
    assert list(differences(directory, OLD)) == ["left over: resources/a.yaml"]
    assert write_export(directory, OLD, force=True) == []
    assert not (directory / "resources/a.yaml").exists()


def test_a_filled_in_secret_stays_out_of_git_when_its_secret_goes(directory: Path) -> None:
    (directory / "secrets/flower.env").write_text(MINE["secrets/flower.env"])
    without = {name: file for name, file in OLD.items() if not name.startswith("secrets/")}
    write_export(directory, without)
    assert (directory / "secrets/flower.env").read_text() == MINE["secrets/flower.env"]
    assert "/secrets/flower.env\n" in (directory / ".gitignore").read_text()
    assert list(differences(directory, without)) == []


def test_sha256sum_reads_the_record(directory: Path) -> None:
    program = shutil.which("sha256sum")
    assert program
    done = subprocess.run([program, "--check", RECORD], cwd=directory, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{name}: OK" for name in sorted(OLD)]


def test_a_directory_in_the_place_of_a_file_is_an_error(directory: Path) -> None:
    (directory / "patches/a.yaml").unlink()
    (directory / "patches/a.yaml").mkdir()
    with pytest.raises(UserError, match="can't be written"):
        write_export(directory, OLD)
