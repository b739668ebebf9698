"""The jobs of docs/gitlab-ci.md and docs/diff.md, by gitlab-ci-local.

A job runs in a shell of this machine, in a copy of the checkout: its image is left out. GitLab's API is
tests/diff/comments_server.py.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests import parts, sites
from tests.diff.comments_server import TOKEN, serve
from tests.docs.pages import files, page
from tests.docs.place import Place
from tests.docs.test_ci import assert_rendered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PIPELINE = ".gitlab-ci.yml"
TEMPLATE = "gitlab/diff.gitlab-ci.yml"
SITE = {PIPELINE: files(page("gitlab-ci"))[PIPELINE]}
DIFF = {PIPELINE: files(page("diff"))[PIPELINE], TEMPLATE: (sites.ROOT / TEMPLATE).read_text()}
# The address of the checkout's origin, which says them, is the directory's here.
PROJECT = {"CI_SERVER_HOST": "gitlab.example.com", "CI_PROJECT_PATH": "openedx/site"}
ADDRESS = "https://gitlab.example.com/openedx/site.git"


def run(checkout: Place, *jobs: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run jobs of a checkout's pipeline; those that they need aren't run."""
    runner = parts.present(parts.TOOLS / "gitlab-ci-local" / "node_modules" / ".bin" / "gitlab-ci-local")
    return subprocess.run(
        [
            str(runner),
            *jobs,
            "--force-shell-executor",
            "--shell-isolation",
            "--no-color",
            *(word for name, value in {**PROJECT, **variables}.items() for word in ("--variable", f"{name}={value}")),
        ],
        cwd=checkout.directory,
        env=dict(checkout.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def repository(site: Place, texts: Mapping[str, str], *more: str) -> Place:
    """Commit what else people do, and return a clone whose origin is a project of GitLab's by name."""
    for name, text in texts.items():
        (site.directory / name).parent.mkdir(exist_ok=True)
        (site.directory / name).write_text(text)
    site.commit(*texts, *more)
    scratch = site.directory.parent
    site.done("git clone -q --bare . ../origin.git")
    # git takes the project's address, with a token and without one, for the directory.
    site.done(
        f"git config --global url.{scratch}/origin.git.insteadOf {ADDRESS}",
        f"git config --global --add url.{scratch}/origin.git.insteadOf "
        f"{ADDRESS.replace('https://', 'https://site:token-of-the-site@')}",
    )
    work = Place(scratch / "work", site.environment)
    site.done(f"git clone -q {ADDRESS} ../work")
    return work


def test_a_push_is_checked_rendered_and_applied(committed: Place, tmp_path: Path) -> None:
    work = repository(committed, SITE)
    done = run(work, SITE_TOKEN="token-of-the-site")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    # What the jobs keep is copied beside the checkout's files.
    assert "findings" in json.loads((work.directory / "findings.json").read_text())
    assert "```mermaid" in (work.directory / "queues.md").read_text()
    assert_rendered(Place(tmp_path / "origin.git", work.environment), tmp_path)
    assert list(work.applied()) == []

    manual = run(work, "apply")
    assert manual.returncode == 0, f"{manual.stdout}{manual.stderr}"
    assert "Deployment lms-worker-high-mem" in work.applied()


def test_a_finding_fails_the_check_and_nothing_is_rendered(committed: Place) -> None:
    work = repository(committed, SITE)
    work.done("sed -i 's/unassignedQueues: Error/unassignedQueues: Ignore/; /low: {}/d' overlay/celery-workers.yaml")
    work.commit("overlay")
    done = run(work, SITE_TOKEN="token-of-the-site")
    assert done.returncode == 1
    assert "edx.cms.core.low" in done.stdout + done.stderr
    assert "rendered" not in work.done("git ls-remote origin")


def test_a_merge_request_is_compared(committed: Place) -> None:
    """With env/ in Git: the page's job doesn't render it."""
    committed.done("tutor --root=tutor config save")
    work = repository(committed, DIFF, "tutor/env")
    base = work.done("git rev-parse HEAD").strip()
    work.done("sed -i 's/unassignedQueues: Error/unassignedQueues: Ignore/; /low: {}/d' overlay/celery-workers.yaml")
    work.commit("overlay")
    with serve() as gitlab:
        done = run(
            work,
            CI_PIPELINE_SOURCE="merge_request_event",
            CI_MERGE_REQUEST_DIFF_BASE_SHA=base,
            CI_MERGE_REQUEST_PROJECT_ID="12",
            CI_MERGE_REQUEST_IID="7",
            CI_API_V4_URL=gitlab.url,
            GITLAB_TOKEN=TOKEN,
        )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "edx.cms.core.low" in said, said
    [body] = gitlab.bodies
    assert "edx.cms.core.low" in body
    assert TOKEN not in said
    written = {path.name for path in (work.directory / "tutor-kustomizer-diff").iterdir()}
    assert written == {"report.md", "report.html", "report.json"}
