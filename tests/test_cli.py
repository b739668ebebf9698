"""What all commands have in common: talk on stderr, colour where it is wanted, readers that leave early."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from kustomizer.cli import main
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from kustomizer.start import run; run()"]
OVERLAY = "resources: [../env]\ntransformers: [config.yaml]\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with an overlay, a build of it and a file that isn't one."""
    tmp_path = tmp_path_factory.mktemp("commands")
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(OVERLAY)
    (tmp_path / "overlay" / "config.yaml").write_text(HEAD + EXEC + RECOMMENDED)
    commands(tmp_path)
    done = run(tmp_path, "build", "overlay", "-o", "site.yaml")
    assert done.returncode == 0, done.stderr
    (tmp_path / "wrong.yaml").write_text("a: [")
    return tmp_path


def environment(place: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place),
        "PYTHONPATH": str(sites.ROOT),
        "COLUMNS": "80",
        "TERM": "xterm",
        **more,
    }


def run(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    env = environment(place, **more)
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)


def on_terminal(place: Path, *arguments: str, **more: str) -> str:
    """Return what a terminal gets to see."""
    ours, theirs = pty.openpty()
    command = [*COMMAND, *arguments]
    env = environment(place, **more)
    with subprocess.Popen(command, cwd=place, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last one who wrote to it is gone
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return shown.decode()


def test_verbose_tells_what_is_run_and_how_long_it_takes(place: Path) -> None:
    quiet, talkative = run(place, "build", "overlay"), run(place, "-v", "build", "overlay")
    assert talkative.stdout == quiet.stdout
    assert quiet.stderr == ""
    kustomize = shlex.quote(str(place / "bin" / "kustomize"))
    command = re.escape(f"{kustomize} build --enable-alpha-plugins --enable-exec overlay")
    assert re.search(rf"(?m)^run: {command}$", talkative.stderr)
    assert re.search(rf"(?m)^\d+\.\d\d s: {command}$", talkative.stderr)


@pytest.mark.parametrize("arguments", [["check", "site.yaml"], ["queues", "wrong.yaml"]])
def test_colour_is_for_terminals_that_want_it(arguments: list[str], place: Path) -> None:
    assert "\x1b[" in on_terminal(place, *arguments)
    assert "\x1b[" not in on_terminal(place, *arguments, NO_COLOR="1")
    assert "\x1b[" not in on_terminal(place, *arguments, TERM="dumb")
    done = run(place, *arguments)
    assert "\x1b[" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "build overlay",
        "check site.yaml",
        "check site.yaml -o json",
        "completion bash",
        "queues site.yaml",
        "queues site.yaml -o mermaid",
        "schema",
        "schema --function",
        "schema --markdown",
        "--help",
    ],
)
def test_a_reader_may_leave_early(arguments: str, place: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, *arguments.split()]
    env = environment(place)
    done = subprocess.run(command, cwd=place, env=env, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_each_command_has_help_for_a_terminal(place: Path) -> None:
    for name in main.list_commands(click.Context(main)):
        done = run(place, name, "--help")
        assert done.returncode == 0, (name, done.stderr)
        assert done.stdout.startswith("Usage: tutor-kustomizer")
        assert max(map(len, done.stdout.splitlines())) <= 80, name
