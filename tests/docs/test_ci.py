"""docs/github-actions.md and docs/gitlab-ci.md: the jobs' scripts in clones, one job after the other.

What a job gets of its service (a token, the summary's file) is stood in for. The workflows as a whole are run in
tests/runners; here a branch is rendered twice.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.pages import files, page
from tests.docs.place import Place, place
from tests.docs.test_flux import objects

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = files(page("github-actions"))
GITLAB = files(page("gitlab-ci"))
COMMITTED = ("tutor/config.yml", "overlay", ".gitignore")


@pytest.fixture
def origin(tmp_path: Path) -> Place:
    """Return a repository that holds what people commit, for clones to push to."""
    site = place(tmp_path)
    site.done(
        "tutor --root=tutor config save",
        "tutor-kustomizer init overlay --tutor-root tutor",
        "tutor-kustomizer build overlay -o ../expected.yaml",
        "echo tutor/env/ >.gitignore",
    )
    site.commit(*COMMITTED)
    site.done("git clone -q --bare . ../origin.git")
    return Place(tmp_path / "origin.git", site.environment)


def github_job(workflow: str, job: str) -> list[str]:
    """Return the scripts of a job, but for installing what the machine of these tests has."""
    steps: list[dict[str, Any]] = yaml.safe_load(GITHUB[workflow])["jobs"][job]["steps"]
    names = [step["name"] for step in steps if "run" in step]
    assert names.count("Install") == 1
    return [step["run"] for step in steps if "run" in step and step["name"] != "Install"]


def run_github(clone: Place, scripts: list[str], **env: str) -> None:
    """Run each step in a shell of its own, as GitHub does (bash -e)."""
    for script in scripts:
        summary = str(clone.directory.parent / "summary.md")
        more = {"GITHUB_STEP_SUMMARY": summary, "GITHUB_SHA": "0" * 40, "RUNNER_TEMP": str(clone.directory.parent)}
        clone.done(script, env={**more, **env})


def assert_rendered(origin: Place, scratch: Path) -> None:
    """Hold the branch `rendered` to the build of who wrote the overlay: with the function, and by plain kustomize."""
    rendered = Place(scratch / "rendered", origin.environment)
    if rendered.directory.exists():
        rendered.done("git pull -q")
    else:
        origin.done(f"git clone -q -b rendered . {rendered.directory}")
    expected = objects((scratch / "expected.yaml").read_text())
    assert objects(rendered.done("kustomize build plain")) == expected
    assert objects(rendered.done("kustomize build --enable-alpha-plugins --enable-exec overlay")) == expected


def test_github(origin: Place, tmp_path: Path) -> None:
    workflow = ".github/workflows/site.yaml"
    clone = origin.clone("work")
    run_github(clone, github_job(workflow, "check"))
    assert json.loads((clone.directory / "findings.sarif").read_text())["version"] == "2.1.0"
    assert "```mermaid" in (tmp_path / "summary.md").read_text()
    for count in (1, 2):
        again = origin.clone(f"render{count}")
        run_github(again, github_job(workflow, "render"))
        assert_rendered(origin, tmp_path)
    assert origin.done("git rev-list --count rendered").strip() == "2"


def gitlab_script(job: str) -> list[str]:
    found: list[str] = yaml.safe_load(GITLAB[".gitlab-ci.yml"])[job]["script"]
    return found


def test_gitlab(origin: Place, tmp_path: Path) -> None:
    clone = origin.clone("work")
    clone.done(*gitlab_script("check"))
    assert "findings" in json.loads((clone.directory / "findings.json").read_text())
    assert "```mermaid" in (clone.directory / "queues.md").read_text()
    # git takes the project's address for the directory that it is here.
    address = "https://site:token@gitlab.example.com/openedx/site.git"
    git = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.directory}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    ci = {
        "CI_COMMIT_SHA": "0" * 40,
        "CI_PROJECT_PATH": "openedx/site",
        "CI_SERVER_HOST": "gitlab.example.com",
        "SITE_TOKEN": "token",
    }
    for count in (1, 2):
        origin.clone(f"render{count}").done(*gitlab_script("render"), env={**git, **ci})
        assert_rendered(origin, tmp_path)
    assert origin.done("git rev-list --count rendered").strip() == "2"


@pytest.mark.parametrize("name", ["github-actions", "gitlab-ci"])
def test_what_is_committed_can_be_checked(name: str, origin: Place) -> None:
    """What the pages say of a committed env/, in a clone that has it."""
    command = "tutor --root=tutor config save && git diff --exit-code -- tutor/env"
    assert f"`{command}`" in page(name)
    clone = origin.clone("work")
    clone.done("tutor --root=tutor config save")
    clone.commit("tutor/env")
    assert clone.run(command).returncode == 0
    clone.done("echo 'LMS_HOST: other.example.com' >>tutor/config.yml")
    clone.done("sed -i '/^LMS_HOST: learn/d' tutor/config.yml")
    assert clone.run(command).returncode == 1
