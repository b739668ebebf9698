"""`tutor-kustomizer build`: what is written, and what isn't; what it builds is in test_init."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from kustomizer.cli import main
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:{os.environ['PATH']}")
    (tmp_path / "env").symlink_to(sites.site("22"))
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [config.yaml]\n")
    (overlay / "config.yaml").write_text(HEAD + EXEC + RECOMMENDED)
    return overlay


def test_only_the_owner_may_read_the_file(overlay: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", str(overlay), "-o", str(tmp_path / "site.yaml")])
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert stat.S_IMODE((tmp_path / "site.yaml").stat().st_mode) == 0o600
    assert "name: lms-worker-high\n" in (tmp_path / "site.yaml").read_text()


def test_one_that_fails_leaves_no_file(overlay: Path, tmp_path: Path) -> None:
    (overlay / "config.yaml").write_text(HEAD + EXEC + "spec: {workers: {lms: {hgh: {}}}}\n")
    result = CliRunner().invoke(main, ["build", str(overlay), "-o", str(tmp_path / "site.yaml")])
    assert result.exit_code == 1
    assert "no worker would consume" in result.stderr
    assert not (tmp_path / "site.yaml").exists()


def test_several_are_built_one_by_one(overlay: Path) -> None:
    assert CliRunner().invoke(main, ["build", str(overlay), str(overlay)]).exit_code == 2
