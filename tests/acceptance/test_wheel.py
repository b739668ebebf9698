"""The built wheel works away from the repository: the commands are on PATH, and the function builds a site."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kustomizer import __version__
from tests import parts, sites
from tests.builds import HEAD, Builds, environment
from tests.wheels import repack

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
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the wheel, and with those of all that it requires: an index without a network."""
    parts.installers()
    directory = tmp_path_factory.mktemp("wheels")
    sites.run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory)
    names = zipfile.ZipFile(the_wheel(directory)).namelist()
    dist_info = the_wheel(directory).name.split("-py3")[0] + ".dist-info"
    assert {name.partition("/")[0] for name in names} == {"kustomizer", dist_info}
    for name in ("click", "pyyaml", "ruamel.yaml"):
        repack(name, directory)
    return directory


def the_wheel(directory: Path) -> Path:
    (wheel,) = directory.glob("tutor_kustomizer-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` directory of an environment that holds nothing but the wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    sites.run(sys.executable, "-m", "venv", directory / "venv")
    # The function needs none of what the commands for people need.
    python = directory / "venv" / "bin" / "python"
    sites.run(python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", the_wheel(wheels))
    return directory / "venv" / "bin"


def by_pip(wheels: Path, scratch: Path) -> Path:
    sites.run(sys.executable, "-m", "venv", scratch / "venv")
    python = scratch / "venv" / "bin" / "python"
    sites.run(python, "-m", "pip", "install", "-q", "--no-index", "--find-links", wheels, the_wheel(wheels))
    return scratch / "venv" / "bin"


def by_uv(wheels: Path, scratch: Path) -> Path:
    env = {"UV_TOOL_DIR": "tools", "UV_TOOL_BIN_DIR": "bin", "UV_CACHE_DIR": "cache"}
    places = {name: str(scratch / path) for name, path in env.items()}
    uv = Path(sys.executable).with_name("uv")
    offline = ("--offline", "--no-index", "--find-links", wheels)
    sites.run(uv, "tool", "install", *offline, "--python", sys.executable, the_wheel(wheels), env=clean(**places))
    return scratch / "bin"


def by_pipx(wheels: Path, scratch: Path) -> Path:
    places = {"PIPX_HOME": str(scratch / "home"), "PIPX_BIN_DIR": str(scratch / "bin")}
    # pipx installs with uv where it finds one, else with pip.
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    index |= {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels), "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    command = (sys.executable, "-m", "pipx", "install", "--python", sys.executable, the_wheel(wheels))
    sites.run(*command, env=clean(**places, **index))
    return scratch / "bin"


def clean(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **more}


@pytest.mark.parametrize("installer", [by_pip, by_uv, by_pipx])
def test_each_installer_gives_both_commands(
    installer: Callable[[Path, Path], Path], wheels: Path, tmp_path: Path
) -> None:
    """Away from the repository, with nothing on PATH but kustomize: not even what was installed."""
    bin_directory = installer(wheels, tmp_path)
    shutil.copytree(sites.site("22"), tmp_path / "tutor" / "env")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "kustomize").symlink_to(sites.kustomize(sites.NEWEST))
    env = clean(HOME=str(tmp_path), PATH=f"{tmp_path / 'path'}:/usr/bin:/bin", COLUMNS="80")

    def run(*arguments: str | Path) -> str:
        return sites.run(bin_directory / "tutor-kustomizer", *arguments, env=env).decode()

    assert run("--version") == f"tutor-kustomizer, version {__version__}\n"
    run("init", tmp_path / "overlay", "--tutor-root", tmp_path / "tutor")
    run("queue", "set", "lms", "high", "--replicas", "2", "--overlay", tmp_path / "overlay")
    run("build", tmp_path / "overlay", "-o", tmp_path / "site.yaml")
    assert "lms-worker-high      2, fixed" in run("queues", tmp_path / "site.yaml")
    site = tmp_path / "site.yaml"
    assert "addEventListener" in run("diff", site, site, "-o", "html")


def test_the_tutorial_names_these_installers() -> None:
    text = (sites.ROOT / "docs" / "tutorial.md").read_text()
    for command in ("pip install .", "uv tool install .", "pipx install ."):
        assert command in text


@pytest.mark.parametrize("installer", ["pip", "uv", "pipx"])
def test_each_installer_upgrades_and_uninstalls(installer: str, wheels: Path, tmp_path: Path) -> None:
    """With the commands of docs/upgrading.md, a wheel in place of the clone."""
    text = (sites.ROOT / "docs" / "upgrading.md").read_text()
    install, uninstall = re.findall(rf"(?m)^    {installer} (?:tool )?(?:un)?install .*$", text)
    bin_directory = {"pip": by_pip, "uv": by_uv, "pipx": by_pipx}[installer](wheels, tmp_path)
    command = bin_directory / "tutor-kustomizer"
    places = {"UV_TOOL_DIR": "tools", "UV_TOOL_BIN_DIR": "bin", "UV_CACHE_DIR": "cache", "PIPX_HOME": "home"}
    env = {name: str(tmp_path / path) for name, path in {**places, "PIPX_BIN_DIR": "bin"}.items()}
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels)}
    # pip belongs to the environment that it installs into; the others are those of the tests' environment.
    first = bin_directory if installer == "pip" else Path(sys.executable).parent
    env = clean(**env, UV_OFFLINE="1", UV_PYTHON=sys.executable, PIPX_DEFAULT_PYTHON=sys.executable)
    env["PATH"] = f"{first}:{env['PATH']}"
    for given, there in ((install.removesuffix(".") + str(the_wheel(wheels)), True), (uninstall, False)):
        # pip asks before it removes anything.
        words = [*shlex.split(given), *(["--yes"] if given.strip().startswith("pip un") else [])]
        assert subprocess.run(words, env=env, check=False, capture_output=True).returncode == 0
        assert command.exists() is there


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
