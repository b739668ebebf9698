"""This repository's own workflows, by act: which jobs and steps run, with what, and what a failure keeps from running.

What `uses:` names is a stand-in of tests/runners/actions. So is `make`, whose targets have tests of their own, and what
talks to GitHub, to registries and to Debian: each writes down how it was called.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
import versions
from newer_versions import PROGRAMS

from tests import sites
from tests.docs.place import Place
from tests.runners.act import Act, Run, program

if TYPE_CHECKING:
    from pathlib import Path

CALLS = 'echo "$(basename "$0") $*" >>"$ASKED"\n'
MAKE = (
    'case "$*" in "$FAILS") echo "$* fails"; exit 2 ;; '
    'dist) echo "tag $TAG" >>"$ASKED"; mkdir dist; echo wheel >dist/a.whl ;; esac\n'
)
GH = 'case "$2" in list) echo "$ISSUE" ;; *) cat body.md >>"$ASKED" ;; esac\n'


class Ours(NamedTuple):
    """A checkout of what the workflows read, and how they run there."""

    act: Act
    asked_file: Path

    def run(self, event: str, workflow: str, *, payload: dict[str, object] | None = None, **environ: str) -> Run:
        """Run a workflow; ``environ`` tells the stand-ins what to say."""
        given = {"ASKED": str(self.asked_file), "FAILS": "", "ISSUE": "", **environ}
        return self.act.run(event, workflow=workflow, payload=payload, env=given)

    @property
    def asked(self) -> list[str]:
        """How the stand-ins were called."""
        return self.asked_file.read_text().splitlines()


@pytest.fixture
def ours(tmp_path: Path) -> Ours:
    program()
    directory = tmp_path / "ours"
    for name in (".github", ".ci", "tools", "requirements"):
        shutil.copytree(sites.ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    binaries = tmp_path / "python" / "bin"
    binaries.mkdir(parents=True)
    listed = {each.name: each.version for each in PROGRAMS.values() if each.by == "go"}
    answers = "".join(f'{name}) echo "$6" v{version} ;; ' for name, version in listed.items())
    programs = {
        "make": CALLS + MAKE,
        "sudo": CALLS,
        "gh": CALLS + GH,
        "go": f'case "$6" in $NEWER) echo "$6" v99.0.0 ;; {answers}esac\n',
        "python": f'exec {sys.executable} "$@"\n',
    }
    for name, text in programs.items():
        (binaries / name).write_text(f"#!/bin/sh\n{text}")
        (binaries / name).chmod(0o755)
    # pip lists what it finds there, by its name alone.
    (tmp_path / "index").mkdir()
    for each in PROGRAMS.values():
        if each.by == "pip":
            (tmp_path / "index" / f"{each.name}-{each.version}-py3-none-any.whl").touch()
    environ = {
        "PATH": f"{binaries}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHON": str(binaries.parent),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "index"),
        **{f"GIT_{who}_{what}": "ours@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    checkout = Place(directory, environ)
    checkout.commit(".")
    checkout.done(
        "git clone -q --bare . ../origin.git", "git -C ../origin.git config uploadpack.allowAnySHA1InWant true"
    )
    (tmp_path / "asked").touch()
    return Ours(Act(directory, tmp_path, environ), tmp_path / "asked")


def test_a_pull_request_is_tested_on_each_python(ours: Ours) -> None:
    run = ours.run("pull_request", "test.yaml")
    assert run.returncode == 0, run.log
    quick = sorted(line for line in ours.asked if line.startswith("make"))
    assert quick == ["make lint", "make test", *["make test-quick"] * 5]
    pythons = {line.removeprefix("python ") for line in ours.asked if line.startswith("python ")}
    assert {versions.PYTHON.newest, versions.PYTHON.oldest, "3.12", "3.13"} <= pythons
    # The whole run comes last, with a cache by what is built from.
    assert ours.asked[-1] == "make test"
    (key,) = [line for line in ours.asked if line.startswith("cache")]
    assert len(key) > len("cache tools-") + 32
    assert [line for line in ours.asked if line.startswith("sudo apt-get install")]
    # Ubuntu 24.04 keeps them from users.
    assert [line for line in ours.asked if "userns=0" in line]


@pytest.mark.parametrize("target", ["lint", "test-quick"])
def test_what_fails_keeps_the_whole_run_from_starting(target: str, ours: Ours) -> None:
    run = ours.run("push", "test.yaml", FAILS=target)
    assert run.returncode != 0
    assert f"make {target}" in ours.asked
    assert "make test" not in ours.asked


@pytest.mark.parametrize(("ref", "tag"), [("refs/tags/v0.1.0", "v0.1.0"), ("refs/heads/main", "")])
def test_a_release_is_built_and_kept(ref: str, tag: str, ours: Ours) -> None:
    run = ours.run("push", "release.yaml", payload={"ref": ref})
    assert run.returncode == 0, run.log
    made = [line.rstrip() for line in ours.asked if not line.startswith("python")]
    assert made == ["make lint", "make test-quick", "make dist", f"tag {tag}".rstrip()]
    assert list(ours.act.artifacts.rglob("a.whl"))


def test_newer_versions_are_told_in_an_issue(ours: Ours) -> None:
    run = ours.run("schedule", "versions.yaml", NEWER="k8s.io/kubernetes")
    assert run.returncode == 0, run.log
    listing, change, *body = ours.asked[1:]
    assert listing.startswith("gh issue list --state open")
    assert change == "gh issue create --title Newer versions of what the tests run on --body-file body.md"
    assert f"| Kubernetes | {PROGRAMS['Kubernetes'].version} | 99.0.0 |" in body


def test_the_issue_that_is_there_is_renewed(ours: Ours) -> None:
    run = ours.run("schedule", "versions.yaml", NEWER="k8s.io/kubernetes", ISSUE="7")
    assert run.returncode == 0, run.log
    assert "gh issue edit 7 --body-file body.md" in ours.asked


def test_no_issue_where_nothing_is_newer(ours: Ours) -> None:
    run = ours.run("schedule", "versions.yaml", NEWER="nothing")
    assert run.returncode == 0, run.log
    assert not [line for line in ours.asked if line.startswith("gh")]


def test_a_registry_that_does_not_answer_fails_the_job(ours: Ours) -> None:
    shutil.rmtree(ours.act.scratch / "index")
    run = ours.run("schedule", "versions.yaml", NEWER="nothing")
    assert run.returncode != 0
    assert not [line for line in ours.asked if line.startswith("gh")]


@pytest.mark.parametrize("name", sorted(path.name for path in (sites.ROOT / ".github" / "workflows").glob("*.yaml")))
def test_they_are_what_githubs_schema_takes(name: str, tmp_path: Path) -> None:
    command = [program(), "--validate", "--strict", "--workflows", sites.ROOT / ".github" / "workflows" / name]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_once_a_week_the_controllers_and_a_node_run(ours: Ours) -> None:
    run = ours.run("schedule", "real-programs.yaml")
    assert run.returncode == 0, run.log
    made = sorted(line.rpartition(" make ")[2] for line in ours.asked if " make " in line)
    # A kubelet needs root, and the Python that the runner has put on PATH.
    assert made == ["gitops", "node"]
    assert all(line.startswith("sudo --preserve-env env PATH=") for line in ours.asked if " make " in line)
