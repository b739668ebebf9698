"""The function in a person's hands: options, a terminal, no input at all."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest
import yaml

from kustomizer import __version__
from kustomizer.config.json_schema import function_definition
from kustomizer.function_help import HELP
from tests import sites
from tests.builds import FUNCTION


def run(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FUNCTION, *arguments], stdin=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option: str) -> None:
    done = run(option)
    assert (done.returncode, done.stdout, done.stderr) == (0, HELP, "")


def test_help_fits_a_terminal() -> None:
    assert max(map(len, HELP.splitlines())) <= 80


def test_version() -> None:
    assert run("--version").stdout == f"tutor-celery-workers {__version__}\n"


def test_the_definition_is_printed_without_installed_packages() -> None:
    done = run("--definition")
    assert yaml.safe_load(done.stdout) == function_definition()
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["--helpp"], ["--help", "--version"], ["-"]])
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", HELP)


@pytest.mark.parametrize("arguments", [[], ["config.yaml"]])
def test_a_terminal_is_not_waited_for(arguments: list[str]) -> None:
    ours, theirs = pty.openpty()
    try:
        done = run(*arguments, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stderr) == (2, HELP)


def test_a_closed_stdin_is_no_input() -> None:
    done = subprocess.run(["/bin/sh", "-c", f"{FUNCTION} <&-"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, HELP)


def test_a_configuration_beside_kustomizes_own_input_is_no_option() -> None:
    """kustomize hands a legacy plugin an absolute path."""
    done = run(str(sites.ROOT / "tests/golden/recommended/config.yaml"))
    assert done.returncode != 2
