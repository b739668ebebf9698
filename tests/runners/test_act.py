"""The workflows of docs/github-actions.md and docs/diff.md, by act; those of this repository are in test_ours.py.

What `uses:` names is a stand-in of tests/runners/actions, but for our own action; GitHub's API is
tests/diff/comments_server.py.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.diff.comments_server import TOKEN, Comments, serve
from tests.docs.pages import files, page
from tests.docs.place import Place
from tests.docs.test_ci import assert_rendered
from tests.runners.act import Act, Run, our_action

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = {name: text for name, text in files(page("github-actions")).items() if name.startswith(".github/")}
((DIFF, COMPARES),) = [item for item in files(page("diff")).items() if item[0].startswith(".github/")]


class Repository(NamedTuple):
    """A site's repository, whose workflows act runs."""

    origin: Place
    scratch: Path
    python: Path
    """What the jobs install into."""

    def checkout(self, name: str) -> Place:
        """Return a clone of what was pushed."""
        return self.origin.clone(name)

    def act(self, checkout: Place) -> Act:
        """Return what runs the workflows of a clone."""
        return Act(checkout.directory, self.scratch, {**self.origin.environment, "PYTHON": str(self.python)})


@pytest.fixture
def repository(committed: Place, made: Place, tmp_path: Path) -> Repository:
    """Return a repository to push to, with the workflows of the pages."""
    (wheel,) = (committed.directory / "wheels").iterdir()
    # Tutor is the machine's own.
    (committed.directory / "requirements.txt").write_text(f"./wheels/{wheel.name}\n")
    for name, text in {**WORKFLOWS, DIFF: COMPARES}.items():
        path = committed.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    committed.commit("requirements.txt", ".github")
    committed.done("git clone -q --bare . ../origin.git")
    origin = Place(tmp_path / "origin.git", committed.environment)
    origin.done("git config uploadpack.allowAnySHA1InWant true")
    return Repository(origin, tmp_path, made.directory.parent / "python")


def test_a_push_is_checked_and_rendered(repository: Repository) -> None:
    act = repository.act(repository.checkout("work"))
    run = act.run("push")
    assert run.returncode == 0, run.log
    (sarif,) = act.artifacts.rglob("findings.sarif")
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert_rendered(repository.origin, repository.scratch)


def test_a_finding_fails_the_check_and_nothing_is_rendered(repository: Repository) -> None:
    work = repository.checkout("work")
    work.done("sed -i 's/unassignedQueues: Error/unassignedQueues: Ignore/; /low: {}/d' overlay/celery-workers.yaml")
    work.commit("overlay")
    work.done("git push -q origin main")
    act = repository.act(work)
    run = act.run("push")
    assert run.returncode != 0
    assert re.search(r"(?m)^.*error.*edx\.cms\.core\.low", run.log), run.log
    # The step for code scanning is run all the same.
    assert list(act.artifacts.rglob("findings.sarif"))
    assert "render" not in repository.origin.done("git branch --list rendered")


def test_it_applies(repository: Repository) -> None:
    work = repository.checkout("work")
    run = repository.act(work).run("workflow_dispatch", secrets={"KUBECONFIG": "kubeconfig of the test"})
    assert run.returncode == 0, run.log
    assert "Deployment lms-worker-high-mem" in work.applied()
    assert "kubeconfig of the test" not in run.log
    log = (repository.scratch / "cluster" / "log").read_text()
    assert re.search(r"^--kubeconfig=/\S+/kubeconfig apply ", log, flags=re.MULTILINE), log


class Compared(NamedTuple):
    """How a pull request was compared."""

    act: Act
    run: Run
    github: Comments


def compare(repository: Repository, fork: str, *edits: str) -> Compared:
    """Open a pull request of ``fork`` with ``edits``, and run the page's workflow for it."""
    work = repository.checkout("work")
    base = work.done("git rev-parse HEAD").strip()
    work.done("git checkout -q -b less", *edits)
    # The other workflow that starts at a pull request has its own test.
    work.done("git rm -q .github/workflows/site.yaml")
    work.commit("overlay")
    work.done("git push -q origin less")
    (action,) = re.findall(r"uses: (OWNER/tutor-kustomizer)/diff-action(@\S+)", COMPARES)
    payload = {"pull_request": {"number": 7, "base": {"sha": base}, "head": {"repo": {"full_name": fork}}}}
    act = repository.act(work)
    (repository.scratch / "ours").mkdir()
    with serve() as github:
        run = act.run(
            "pull_request",
            payload=payload,
            env={"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "owner/site"},
            # Of a fork's pull request this one may read, and nothing else is there.
            secrets={"GITHUB_TOKEN": TOKEN},
            actions={"".join(action): our_action(repository.scratch / "ours")},
        )
    assert TOKEN not in run.log
    return Compared(act, run, github)


LESS = "sed -i 's/unassignedQueues: Error/unassignedQueues: Ignore/; /low: {}/d' overlay/celery-workers.yaml"


def test_a_pull_request_is_compared(repository: Repository) -> None:
    act, run, github = compare(repository, "owner/site", LESS)
    assert run.returncode != 0
    assert "There are findings as bad as what the job fails on" in run.log, run.log
    [body] = github.bodies
    assert "edx.cms.core.low" in body
    (report,) = act.artifacts.rglob("*.html")
    assert report.read_text().startswith("<!DOCTYPE html>")


def test_a_forks_pull_request_is_compared_without_a_comment(repository: Repository) -> None:
    act, run, github = compare(repository, "stranger/site", LESS)
    assert run.returncode != 0
    assert "There are findings as bad as what the job fails on" in run.log, run.log
    # GitHub isn't even asked for what the token may not do.
    assert github.asked == []
    (report,) = act.artifacts.rglob("*.html")
    assert "edx.cms.core.low" in report.read_text()
    _, _, summary = run.log.partition("Summary - <!-- tutor-kustomizer diff overlay -->")
    assert "edx.cms.core.low" in summary


def test_a_forks_pull_request_runs_no_program_of_its_own(repository: Repository) -> None:
    ran = repository.scratch / "ran"
    function = "{config.kubernetes.io/function: 'exec: {path: ./theirs}'}"
    compared = compare(
        repository,
        "stranger/site",
        f"printf '#!/bin/sh\ntouch {ran}\ncat\n' >overlay/theirs",
        "chmod +x overlay/theirs",
        f'echo "{{apiVersion: v1, kind: A, metadata: {{name: a, annotations: {function}}}}}" >overlay/theirs.yaml',
        "sed -i 's/^transformers:$/&\\n- theirs.yaml/' overlay/kustomization.yaml",
    )
    assert compared.run.returncode != 0
    assert re.search(r"(?m)^.*error.*theirs", compared.run.log), compared.run.log
    assert not ran.exists()
    assert compared.github.asked == []
