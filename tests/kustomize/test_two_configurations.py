"""Two configurations in one file are refused by every command that builds, and for what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.kustomize.two_configurations import several_in
from tests import sites
from tests.builds import commands
from tests.kustomize.hostile import OWN

if TYPE_CHECKING:
    from pathlib import Path

HEAD = OWN.partition("spec:")[0]
LMS, CMS = "spec: {workers: {lms: {high: {}, high_mem: {}}}}\n", "spec: {workers: {cms: {high: {}, low: {}}}}\n"
OTHER = HEAD.replace("name: celery-workers", "name: others")
BOTH = f"{HEAD}{LMS}---\n{OTHER}{CMS}"


@pytest.mark.parametrize(
    "text", [BOTH, BOTH.replace("name: others", "name: !!str others"), BOTH.replace("v1alpha1", "v2", 1)]
)
def test_two_are_found(text: str) -> None:
    problem = several_in(text)
    assert problem is not None
    assert "the file holds 2 configurations of kind CeleryWorkers" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        f"# A CeleryWorkers object\n{HEAD}{LMS}",
        f"{HEAD}{LMS}---\n# the schema of CeleryWorkers\nkind: Other\n",
        BOTH.replace("celery.openedx.io", "celery.example.com", 1),
        "a: [CeleryWorkers, CeleryWorkers\n",
    ],
)
def test_one_is_not(text: str) -> None:
    assert several_in(text) is None


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with an overlay whose file has one configuration for lms, and another one for cms."""
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "both.yaml").write_text(BOTH)
    (tmp_path / "overlay" / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [both.yaml]\n")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_each_command_names_the_file(place: Path) -> None:
    for words in (
        ["build", "overlay", "-o", "built.yaml"],
        ["check", "overlay"],
        ["diff", "env", "overlay"],
        ["export", "overlay", "-o", "plain"],
    ):
        refused = run(*words)
        assert refused.exit_code == 1, words
        assert "overlay/both.yaml: the file holds 2 configurations of kind CeleryWorkers" in refused.output
    assert "refused-build" in run("check", "overlay", "-o", "json").stdout
    (place / "overlay" / "both.yaml").write_text(f"{HEAD}{LMS}")
    assert run("build", "overlay", "-o", "built.yaml").exit_code == 0


def test_in_a_directory_of_plugins(place: Path) -> None:
    (place / "overlay" / "plugins").mkdir()
    (place / "overlay" / "both.yaml").rename(place / "overlay" / "plugins" / "both.yaml")
    (place / "overlay" / "plugins" / "kustomization.yaml").write_text("resources: [both.yaml]\n")
    (place / "overlay" / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [plugins]\n")
    assert "overlay/plugins/both.yaml: the file holds 2" in run("build", "overlay", "-o", "built.yaml").output


def test_the_function_tells_a_second_configuration_from_a_plugin(place: Path) -> None:
    """In two files, or in plain kustomize, only the function sees what the first run made."""
    slower = LMS.replace("high: {}", "high: {concurrency: 3}")
    for name, text in (("one", f"{HEAD}{LMS}"), ("two", f"{OTHER}{slower}")):
        (place / "overlay" / f"{name}.yaml").write_text(text)
    (place / "overlay" / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [one.yaml, two.yaml]\n")
    refused = run("build", "overlay", "-o", "built.yaml")
    assert refused.exit_code == 1
    assert "another configuration made it" in refused.output
    assert "plugin" not in refused.output
    (place / "overlay" / "two.yaml").write_text(f"{OTHER}{LMS}")
    assert run("build", "overlay", "-o", "built.yaml").exit_code == 0
