"""What `route`, `queue add`, `check` and completion make of the tasks that were saved beside an overlay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.tasks.task_file import FILE, tasks_json
from tests import sites
from tests.known_tasks import DEFAULT, HIGH, HIGH_MEM, known, site_tasks
from tests.rules.small_site import split_site

if TYPE_CHECKING:
    from collections.abc import Iterator

GRADES, SAYS_ITSELF = "lms.djangoapps.instructor_task.tasks.calculate_grades_csv", "lms.tasks.on_high"
KNOWN = site_tasks(
    known(GRADES, HIGH_MEM),
    known("lms.tasks.plain", DEFAULT),
    known(SAYS_ITSELF, HIGH, by="queue= of the task"),
    known("lms.tasks.odd", "edx.lms.core.odd"),
    known("cms.tasks.plain", "edx.cms.core.default"),
)
CONFIG = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
spec:
  workers:
    lms: {high: {}, high_mem: {}}
    cms: {high: {}, low: {}}
"""


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An overlay that the site's tasks are saved in, the current directory."""
    (tmp_path / "celery-workers.yaml").write_text(CONFIG)
    (tmp_path / FILE).write_text(tasks_json(KNOWN))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture(params=[[], ["--file", "celery-workers.yaml"]])
def where(request: pytest.FixtureRequest, overlay: Path) -> Iterator[list[str]]:
    assert overlay == Path.cwd()
    yield request.param


def test_a_route_of_a_task_that_is_there(where: list[str]) -> None:
    done = run("route", "lms", GRADES, HIGH, *where)
    assert (done.exit_code, done.stderr) == (
        0,
        f"celery-workers.yaml: {GRADES}, sent by lms, goes to {HIGH}\n",
    )


def test_a_route_of_a_misspelt_task(where: list[str]) -> None:
    done = run("route", "lms", GRADES.replace("grades", "grade"), HIGH, *where)
    assert done.exit_code == 0
    said = f"on 2026-11-29: the route has no effect. Did you mean {GRADES}?"
    assert done.stderr.splitlines()[-1].endswith(said)
    assert done.stderr.splitlines()[-1].startswith("Warning: lms had no task ")
    # It is one of the other service.
    done = run("route", "lms", "cms.tasks.plain", HIGH, *where)
    assert "Warning: lms had no task cms.tasks.plain" in done.stderr


def test_a_route_that_cant_move_its_task(where: list[str]) -> None:
    done = run("route", "lms", SAYS_ITSELF, HIGH_MEM, *where)
    assert done.exit_code == 0
    assert f"Warning: {SAYS_ITSELF} says itself that it goes to {HIGH}: the route has no effect" in done.stderr


def test_a_queue_that_no_task_goes_to(where: list[str]) -> None:
    done = run("queue", "add", "lms", "certificates", *where)
    assert done.exit_code == 0
    assert (
        "Info: no task went to edx.lms.core.certificates by itself on 2026-11-29. Route one there: "
        "tutor-kustomizer route lms TASK edx.lms.core.certificates\n"
    ) in done.stderr
    done = run("queue", "add", "lms", "odd", *where)
    assert (done.exit_code, "no task went" in done.stderr) == (0, False)


def test_without_saved_tasks_nothing_is_said(where: list[str], overlay: Path) -> None:
    (overlay / FILE).unlink()
    done = run("route", "lms", "no.such.task", HIGH, *where)
    assert (done.exit_code, done.stderr.count("\n")) == (0, 1)
    done = run("queue", "add", "lms", "certificates", *where)
    assert (done.exit_code, done.stderr.count("\n")) == (0, 1)


def test_a_file_that_holds_something_else(overlay: Path) -> None:
    (overlay / FILE).write_text("{}")
    refused = run("route", "lms", GRADES, HIGH)
    assert refused.exit_code == 1
    assert (
        f"Error: {FILE} doesn't hold a site's tasks. Write it anew: tutor-kustomizer tasks --save {FILE}"
        in refused.stderr
    )
    assert (overlay / "celery-workers.yaml").read_text() == CONFIG


def rules(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output
    return [finding["rule"] for finding in json.loads(done.stdout)["findings"]]


def test_check_of_a_built_file(overlay: Path) -> None:
    route = f"EXPLICIT_QUEUES = {{'gone': {{'queue': {HIGH!r}}}}}\n"
    (overlay / "built.yaml").write_text("---\n".join(split_site(route)))
    assert rules(run("check", "built.yaml", "-o", "json")) == []
    # Two queues of cms have no task.
    expected = ["unknown-task", "idle-queue", "idle-queue"]
    assert rules(run("check", "built.yaml", "-o", "json", "--tasks", FILE)) == expected


def test_what_is_set_aside_isnt_stale_without_saved_tasks(overlay: Path) -> None:
    (overlay / "built.yaml").write_text("---\n".join(split_site()))
    ignores = "ignore:\n- {rule: idle-queue, reason: Code names it.}\n"
    (overlay / ".tutor-kustomizer-ignore.yaml").write_text(ignores)
    assert run("check", "built.yaml").stdout == "No findings.\n"
    assert "2 findings: Code names it." in run("check", "built.yaml", "--tasks", FILE).stdout.replace("\n  ", " ")


def test_check_of_an_overlay(tmp_path: Path) -> None:
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text("resources: [../env]\n")
    before = rules(run("check", str(tmp_path / "overlay"), "-o", "json"))
    (tmp_path / "overlay" / FILE).write_text(tasks_json(site_tasks(known("a"), known("b", "edx.cms.core.default"))))
    after = rules(run("check", str(tmp_path / "overlay"), "-o", "json"))
    assert "idle-queue" not in before
    assert [rule for rule in after if rule != "idle-queue"] == before
    assert len(after) > len(before)


def completed(*words: str) -> list[str]:
    """Return what bash is offered in the place of the last word."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(sites.ROOT),
        "_TUTOR_KUSTOMIZER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["tutor-kustomizer", *words]),
        "COMP_CWORD": str(len(words)),
    }
    start = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'tutor-kustomizer'; from kustomizer.start import run; run()",
    ]
    done = subprocess.run(start, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["route", "lms", "lms.t"], ["lms.tasks.odd", SAYS_ITSELF, "lms.tasks.plain"]),
        (["route", "cms", "cms"], ["cms.tasks.plain"]),
        (["route", "lms", GRADES, "edx.lms.core.h"], [HIGH, HIGH_MEM]),
        (["queue", "add", "l"], ["lms"]),
        (["queue", "add", "lms", "o"], ["odd"]),
        (["queue", "add", "lms", "h"], []),
        (["queue", "set", "cms", "h"], ["high"]),
        (["queue", "remove", "lms", "h"], ["high", "high_mem"]),
    ],
)
def test_completion(words: list[str], expected: list[str], overlay: Path) -> None:
    assert overlay == Path.cwd()
    completion = ShellComplete(main, {}, "tutor-kustomizer", "_TUTOR_KUSTOMIZER_COMPLETE")
    assert [each.value for each in completion.get_completions(words[:-1], words[-1])] == expected


def test_completion_in_bash(overlay: Path) -> None:
    assert overlay == Path.cwd()
    assert completed("route", "lms", GRADES, "edx.lms.core.h") == [HIGH, HIGH_MEM]


def test_completion_without_a_file_that_can_be_read(overlay: Path) -> None:
    (overlay / FILE).write_text("{}")
    assert completed("route", "lms", "l") == []
    assert completed("route", "lms", "x", "edx.lms.core.hi") == [HIGH, HIGH_MEM]
    (overlay / "celery-workers.yaml").unlink()
    assert completed("route", "lms", "x", "edx.lms.core.hi") == []
