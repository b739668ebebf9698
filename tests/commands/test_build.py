"""`tutor-kustomizer build` with several overlays; one alone is in test_init."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from kustomizer.cli import main
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands


@pytest.fixture
def overlays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with two overlays over one site, and something else."""
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:{os.environ['PATH']}")
    (tmp_path / "env").symlink_to(sites.site("22"))
    for name, spec in (("one", RECOMMENDED), ("two", "spec: {workers: {cms: {high: {}, low: {}}}}\n")):
        overlay = tmp_path / "overlays" / name
        overlay.mkdir(parents=True)
        (overlay / "kustomization.yaml").write_text("resources: [../../env]\ntransformers: [config.yaml]\n")
        (overlay / "config.yaml").write_text(HEAD + EXEC + spec)
    (tmp_path / "overlays" / "README.md").write_text("not an overlay\n")
    return tmp_path / "overlays"


def test_all_overlays_of_a_directory(overlays: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", "--all", str(overlays), "-o", str(tmp_path / "out")])
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {"one.yaml": 0o600, "two.yaml": 0o600}
    assert "name: lms-worker-high\n" in (tmp_path / "out" / "one.yaml").read_text()
    assert "name: lms-worker-high\n" not in (tmp_path / "out" / "two.yaml").read_text()


def test_one_that_fails_leaves_no_file(overlays: Path, tmp_path: Path) -> None:
    (overlays / "two" / "config.yaml").write_text(HEAD + EXEC + "spec: {workers: {lms: {hgh: {}}}}\n")
    result = CliRunner().invoke(
        main, ["build", str(overlays / "one"), str(overlays / "two"), "-o", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "no worker would consume" in result.stderr
    assert not (tmp_path / "o").exists()


def test_several_need_a_directory(overlays: Path) -> None:
    result = CliRunner().invoke(main, ["build", "--all", str(overlays)])
    assert result.exit_code == 2
    assert "--output" in result.stderr


def test_two_of_one_name_are_refused(overlays: Path, tmp_path: Path) -> None:
    shutil.copytree(overlays, tmp_path / "more")
    (tmp_path / "more" / "one" / "kustomization.yaml").write_text("resources: [../../env]\n")
    result = CliRunner().invoke(
        main, ["build", str(overlays / "one"), str(tmp_path / "more" / "one"), "-o", str(tmp_path / "o")]
    )
    assert result.exit_code == 1
    assert "two of the overlays are named one" in result.stderr


def test_a_directory_without_overlays(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", "--all", str(tmp_path), "-o", str(tmp_path / "o")])
    assert result.exit_code == 1
    assert "holds no overlay" in result.stderr
