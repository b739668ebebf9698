"""What docs/diff.md says can be typed works as it is typed, and prints what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from kustomizer.commands.diff import diff_command
from tests import sites
from tests.builds import commands
from tests.git_checkout import commit, git

if TYPE_CHECKING:
    from pathlib import Path


def blocks(page: str) -> list[Any]:
    """Return what the page's blocks of YAML say."""
    text = (sites.ROOT / "docs" / page).read_text()
    return [yaml.safe_load(each) for each in re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)]


PAGE = (sites.ROOT / "docs" / "diff.md").read_text()
CONSOLES = re.findall(r"^```console\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
INDENTED = re.findall(r"^    (tutor-kustomizer .*)$", PAGE, flags=re.MULTILINE)
BLOCKS = blocks("diff.md")
ACTION = yaml.safe_load((sites.ROOT / "diff-action" / "action.yml").read_text())
COMMIT = re.compile(r"\(([0-9a-f]{12})\)")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site's repository in which somebody took a worker out, as the page tells."""
    directory = tmp_path_factory.mktemp("site")
    shutil.copytree(sites.site("22"), directory / "tutor" / "env")
    (directory / ".gitignore").write_text("tutor/\nbin/\n")
    command = commands(directory) / "tutor-kustomizer"
    command.write_text(f"#!{sys.executable}\nfrom kustomizer.cli import run\nrun()\n")
    command.chmod(0o755)
    git(directory, "init")
    assert run(directory, "tutor-kustomizer init overlay --tutor-root tutor").returncode == 0
    [ignores] = blocks("ignoring.md")
    (directory / "ignores.yaml").write_text(yaml.safe_dump(ignores))
    commit(directory)
    config = directory / "overlay" / "celery-workers.yaml"
    text = config.read_text()
    for old, new in (
        ("unassignedQueues: Error", "unassignedQueues: Ignore"),
        ("      # Bulk e-mail and what else is urgent.\n      high: {}\n", ""),
        ("      low: {}", "      low: {concurrency: 2}"),
    ):
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    return directory


def run(directory: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=directory,
        env={
            **os.environ,
            "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(sites.ROOT),
            "COLUMNS": "80",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def examples() -> list[tuple[str, str]]:
    """Return each command of the page with what it is said to print."""
    found = []
    for console in CONSOLES:
        for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_the_page_shows_commands() -> None:
    assert len(examples()) == 4
    assert len(INDENTED) == 1


@pytest.mark.parametrize(("command", "output"), examples())
def test_it_prints_what_the_page_says(command: str, output: str, checkout: Path) -> None:
    done = run(checkout, command)
    assert COMMIT.sub("(commit)", done.stdout) == COMMIT.sub("(commit)", output), done.stderr


@pytest.mark.parametrize("command", INDENTED)
def test_it_works_as_it_is_typed(command: str, checkout: Path) -> None:
    done = run(checkout, f"set -e; {command}; test -s report.md; test -s report.html")
    assert done.returncode == 0, done.stderr


def test_every_option_is_told_of() -> None:
    options = [each for each in diff_command.params if isinstance(each, click.Option)]
    assert not [
        each.opts for each in options if not any(f"`{name}" in PAGE or f" {name}" in PAGE for name in each.opts)
    ]
    # Another command's, and Celery's.
    others = {"--diff", "--queues"}
    text = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    for name in set(re.findall(r"(?<=[` ])--[a-z][a-z-]+", text)) - others:
        assert any(name in each.opts for each in options), name


def test_every_input_and_output_of_the_action_is_told_of() -> None:
    for name in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"`{name}`" in PAGE, name
    [workflow] = [each for each in BLOCKS if "jobs" in each]
    [step] = [each for each in workflow["jobs"]["diff"]["steps"] if "diff-action" in each.get("uses", "")]
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_gitlab_job_is_the_templates() -> None:
    [pipeline] = [each for each in BLOCKS if "include" in each]
    template = yaml.safe_load((sites.ROOT / pipeline["include"][0]["local"]).read_text())
    job = pipeline["diff"]
    assert set(job["variables"]) <= set(template[job["extends"]]["variables"])
