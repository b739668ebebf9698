"""A site's repository, made once, and for each test a clone of it in a home of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests import sites
from tests.docs.place import Place, place
from tests.wheels import repack, with_requirements

if TYPE_CHECKING:
    from pathlib import Path

# What this tool requires, and what builds it where an action installs it from its files.
REQUIRED = ("click", "pyyaml", "ruamel.yaml", "hatchling")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return what people commit, with this tool's wheel; beside it are an index of packages and a Python."""
    scratch = tmp_path_factory.mktemp("runners")
    site = place(scratch)
    (scratch / "bin" / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (scratch / "bin" / "python3").chmod(0o755)
    sites.run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", site.directory / "wheels")
    (scratch / "index").mkdir()
    for name in sorted(with_requirements(REQUIRED)):
        repack(name, scratch / "index")
    site.done(
        "python3 -m venv ../python",
        "tutor --root=tutor config save",
        "tutor-kustomizer init overlay --tutor-root tutor",
        "tutor-kustomizer build overlay -o ../expected.yaml",
        "echo tutor/env/ >.gitignore",
    )
    site.commit("tutor/config.yml", "overlay", ".gitignore", "wheels")
    return site


@pytest.fixture
def committed(made: Place, tmp_path: Path) -> Place:
    """Return a clone of it; pip finds what is in the index and nothing else."""
    made.done(f"git clone -q . '{tmp_path}/site'", f"cp ../expected.yaml '{tmp_path}'")
    (tmp_path / "cluster" / "applied").mkdir(parents=True)
    own = {"HOME": str(tmp_path), "STAND_IN": str(tmp_path / "cluster")}
    index = {"PIP_NO_INDEX": "1", "PIP_NO_COMPILE": "1", "PIP_FIND_LINKS": str(made.directory.parent / "index")}
    return Place(tmp_path / "site", {**made.environment, **own, **index})
