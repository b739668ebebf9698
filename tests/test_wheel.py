"""The built wheel works away from the repository: the commands are on PATH, and the function builds a site."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import sites
from tests.builds import HEAD, Builds, environment

# As kustomize writes it: a legacy plugin gets its file as it is, and nothing but the wheel's Python to read it with.
SPEC = """\
spec:
  workers:
    lms:
      high: {}
      high_mem: {}
    cms:
      high: {}
      low: {}
"""
BARE_NAME = f'  annotations:\n    {sites.FUNCTION}: "exec: {{path: tutor-celery-workers}}"\n'


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` directory of an environment that holds nothing but the wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    sites.run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory)
    (wheel,) = directory.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"kustomizer", wheel.name.split("-py3")[0] + ".dist-info"}
    sites.run(sys.executable, "-m", "venv", directory / "venv")
    # What the commands for people need is in the tests' own environment; the function needs none of it.
    sites.run(directory / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel)
    return directory / "venv" / "bin"


@pytest.mark.parametrize("version", [sites.NEWEST, sites.OLDEST])
def test_an_overlay_anywhere_names_the_function_without_a_path(
    version: str, installed: Path, builds: Builds, tmp_path: Path
) -> None:
    env = sites.site("22")
    (tmp_path / "env").symlink_to(env)
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "celery-workers.yaml").write_text(HEAD + BARE_NAME + SPEC)
    (tmp_path / "overlay" / "kustomization.yaml").write_text(
        "resources: [../env]\nsortOptions: {order: fifo}\ntransformers: [celery-workers.yaml]\n"
    )
    poor = environment(tmp_path)
    done = subprocess.run(
        [sites.kustomize(version), *sites.BUILD, tmp_path / "overlay"],
        env={**poor, "PATH": f"{installed}:{poor['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == builds.through_exec(env).stdout


def test_the_legacy_protocol_is_spoken_too(installed: Path, builds: Builds, tmp_path: Path) -> None:
    home = tmp_path / "plugin" / "celery.openedx.io" / "v1alpha1" / "celeryworkers"
    home.mkdir(parents=True)
    (home / "CeleryWorkers").symlink_to(installed / "tutor-celery-workers")
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "celery-workers.yaml").write_text(HEAD + SPEC)
    (tmp_path / "overlay" / "kustomization.yaml").write_text(
        "resources: [../env]\nsortOptions: {order: fifo}\ntransformers: [celery-workers.yaml]\n"
    )
    done = subprocess.run(
        [sites.kustomize(sites.NEWEST), "build", "--enable-alpha-plugins", tmp_path / "overlay"],
        env=environment(tmp_path, KUSTOMIZE_PLUGIN_HOME=str(tmp_path / "plugin")),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == builds.through_exec(sites.site("22")).stdout
