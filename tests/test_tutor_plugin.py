"""`tutor kustomizer …` in a real Tutor, which finds the plugin as pip would have installed it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import sites
from tests.builds import commands


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Tutor that has the plugin, on a copy of a real root."""
    info = tmp_path / "packages" / "tutor_kustomizer-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tutor-kustomizer\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[tutor.plugin.v1]\nkustomizer = kustomizer.tutor_plugin\n")
    root = tmp_path / "root"
    root.mkdir()
    given = sites.site("22").parent
    (root / "config.yml").write_bytes((given / "config.yml").read_bytes())
    (root / "env").symlink_to(given / "env")
    return {
        **os.environ,
        "PATH": f"{commands(tmp_path)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{tmp_path}/packages:{sites.ROOT}",
        "TUTOR_ROOT": str(root),
        "HOME": str(tmp_path),
    }


def tutor(env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    # A Tutor of its own environment, which has click and PyYAML.
    command = [str(sites.tutor("22")), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_no_path_has_to_be_given(env: dict[str, str], tmp_path: Path) -> None:
    enabled = tutor(env, "plugins", "enable", "kustomizer")
    assert enabled.returncode == 0, enabled.stderr
    made = tutor(env, "kustomizer", "init", str(tmp_path / "overlay"))
    assert made.returncode == 0, made.stderr
    built = tutor(env, "kustomizer", "build", str(tmp_path / "overlay"), "-o", str(tmp_path / "site.yaml"))
    assert built.returncode == 0, built.stderr
    listed = tutor(env, "kustomizer", "queues", str(tmp_path / "site.yaml"))
    assert "edx.lms.core.high_mem" in listed.stdout


def test_an_error_is_one_message(env: dict[str, str], tmp_path: Path) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    refused = tutor(env, "kustomizer", "build", str(sites.site("22")))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "without the function" in refused.stderr
