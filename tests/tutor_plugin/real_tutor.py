"""A real Tutor, of an environment of its own, that finds the plugin as pip would have installed it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests import sites
from tests.builds import commands

if TYPE_CHECKING:
    from collections.abc import Mapping


def plugin_environment(directory: Path, version: str) -> dict[str, str]:
    """Return the environment of a Tutor with the plugin, on a root in ``directory`` that has a configuration only."""
    packages = directory / "packages"
    info = packages / "tutor_kustomizer-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tutor-kustomizer\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[tutor.plugin.v1]\nkustomizer = kustomizer.tutor_plugin.plugin\n")
    # Beside what Tutor's own environment has, our commands need this one.
    ruamel = importlib.util.find_spec("ruamel")
    assert ruamel is not None
    (packages / "ruamel").symlink_to(next(iter(ruamel.submodule_search_locations or ())))
    root = directory / "root"
    root.mkdir()
    shutil.copyfile(sites.site(version).parent / "config.yml", root / "config.yml")
    return {
        **os.environ,
        "PATH": f"{commands(directory)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{packages}:{sites.ROOT}",
        "TUTOR_ROOT": str(root),
        "HOME": str(directory),
    }


def tutor(env: Mapping[str, str], *args: str, version: str = "22") -> subprocess.CompletedProcess[str]:
    """Run a Tutor of this version."""
    command = [str(sites.tutor(version)), *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)
