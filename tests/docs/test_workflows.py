"""The workflows, templates and hooks of this repository: they parse, call what is there, and may do no more than that.

tests/runners runs them by act; what the jobs run are make's targets, which people run, too.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests import sites
from tests.docs.pages import files, page
from tests.docs.place import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GITHUB = sites.ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
FILES = sorted([*GITHUB.rglob("*.y*ml"), *sites.ROOT.glob(".pre-commit*.yaml")])
MAKEFILE = (sites.ROOT / "Makefile").read_text()
TARGETS = frozenset(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
# What a job may be given beside reading the code, and what for.
GRANTED = {("versions.yaml", "issues"): "write"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def jobs(path: Path) -> Iterator[dict[str, Any]]:
    yield from load(path)["jobs"].values()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path):
        yield from job["steps"]


by_name = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(sites.ROOT)))
def test_it_is_yaml(path: Path) -> None:
    assert load(path)


@by_name
def test_it_has_a_name_and_starts_at_something(path: Path) -> None:
    workflow = load(path)
    assert workflow["name"] == path.stem
    # YAML 1.1 reads `on` as true.
    assert workflow[True]


@by_name
def test_it_may_only_read(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    for job in jobs(path):
        more = {
            name: right for name, right in job.get("permissions", {}).items() if (name, right) != ("contents", "read")
        }
        assert {(path.name, name): right for name, right in more.items()}.items() <= GRANTED.items()


@by_name
def test_no_job_runs_for_ever(path: Path) -> None:
    assert all(0 < job["timeout-minutes"] <= 120 for job in jobs(path))


@by_name
def test_it_calls_targets_and_scripts_that_are_there(path: Path) -> None:
    for step in steps(path):
        assert ("run" in step) != ("uses" in step)
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", "")):
            assert target in TARGETS
        for script in re.findall(r"(?<!\S)((?:\.ci|tools)/[\w./-]+)", step.get("run", "")):
            assert (sites.ROOT / script).is_file(), script


@by_name
def test_no_expression_stands_in_a_script(path: Path) -> None:
    """What a branch or a title is called would be run there."""
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


@by_name
def test_actions_are_githubs_own_and_have_a_version(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_each_version_of_python_is_tested() -> None:
    (matrix,) = [job["strategy"]["matrix"] for job in jobs(GITHUB / "workflows" / "test.yaml") if "strategy" in job]
    minors = [int(version.removeprefix("3.")) for version in matrix["python"]]
    (oldest,) = re.findall(r'requires-python = ">=3\.(\d+)"', (sites.ROOT / "pyproject.toml").read_text())
    assert minors == list(range(int(oldest), minors[-1] + 1))
    assert minors[-1] >= 14


def test_nothing_is_published() -> None:
    text = (GITHUB / "workflows" / "release.yaml").read_text()
    assert not re.findall(r"id-token|secrets\.|pypi|twine|gh release|docker push", text)


def test_the_hooks_are_those_of_make_lint() -> None:
    (local,) = load(sites.ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    recipe = MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0].replace("$(RUFF)", "$(BIN)/ruff")
    linted = re.findall(r"\t\$\(BIN\)/(\S+(?: check| format)?)", recipe)
    hooks = [re.sub(r" --\S+", "", hook["entry"]).removeprefix(".venv/bin/") for hook in local["hooks"]]
    assert sorted(hooks) == sorted(linted)
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_the_hook_for_sites_runs_a_command_that_is_there() -> None:
    (hook,) = load(sites.ROOT / ".pre-commit-hooks.yaml")
    program, command, *options = shlex.split(hook["entry"])
    assert (program, command, options) == ("tutor-kustomizer", "check", ["--fail-on", "error"])
    # Files are what starts it; the overlay is an argument.
    assert hook["pass_filenames"] is False
    assert hook["language"] == "python"


def test_the_hook_checks_an_overlay(tmp_path: Path) -> None:
    """With the arguments of docs/tutorial.md."""
    (hook,) = load(sites.ROOT / ".pre-commit-hooks.yaml")
    shown = yaml.safe_load(files(page("tutorial"))[".pre-commit-config.yaml"])
    ((used,),) = [repository["hooks"] for repository in shown["repos"]]
    assert used["id"] == hook["id"]
    command = f"{hook['entry']} {shlex.join(used['args'])}"
    site = place(tmp_path)
    site.done("tutor --root=tutor config save", "tutor-kustomizer init overlay --tutor-root tutor", command)
    site.done("sed -i 's/unassignedQueues: Error/unassignedQueues: Ignore/; /low: {}/d' overlay/celery-workers.yaml")
    assert site.run(command).returncode == 3


def test_nobody_is_asked_for_a_password() -> None:
    texts = {name: (sites.ROOT / name).read_text() for name in (".github/ISSUE_TEMPLATE/bug.yml", "SECURITY.md")}
    assert "No passwords here" in texts[".github/ISSUE_TEMPLATE/bug.yml"]
    # Reports go by the host's own form: no address that nobody reads.
    assert not re.findall(r"\S+@\S+\.\S+|mailto:", "".join(texts.values()))
