"""What the function tells the command that had kustomize run it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kustomizer.errors import ERROR, WARNING, ResourceRef
from kustomizer.kustomize.function_log import problems_of, read_report
from tests import sites
from tests.builds import FUNCTION, HEAD, RECOMMENDED, Builds, environment

CONFIG = HEAD + RECOMMENDED


def run_function(data: bytes, tmp_path: Path, *args: str | Path, report: Path | None) -> bytes:
    env = environment(tmp_path, **({"TUTOR_KUSTOMIZER_REPORT": str(report)} if report else {}))
    return subprocess.run([FUNCTION, *args], input=data, env=env, check=False, capture_output=True).stdout


def test_a_run_is_read_back(kustomize: Path, builds: Builds, tmp_path: Path) -> None:
    env = sites.site("22")
    as_list = sites.function_input(kustomize, env, CONFIG)
    as_stream = builds.plain(env).stdout
    (tmp_path / "config.yaml").write_text(CONFIG)

    run_function(as_list, tmp_path, report=tmp_path / "report")
    run_function(as_stream, tmp_path, tmp_path / "config.yaml", report=tmp_path / "report")

    runs = read_report((tmp_path / "report").read_bytes())
    assert len(runs) == 2
    for run in runs:
        given, made = ({(item.kind, item.name) for item in items} for items in (run.given, run.made))
        assert ("Deployment", "lms-worker") in given & made
        assert ("Deployment", "lms-worker-high") in made - given


def test_what_goes_to_kustomize_is_the_same(kustomize: Path, tmp_path: Path) -> None:
    given = sites.function_input(kustomize, sites.site("22"), CONFIG)
    reported = run_function(given, tmp_path, report=tmp_path / "report")
    assert reported == run_function(given, tmp_path, report=None)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_refused_run_is_a_run(kustomize: Path, tmp_path: Path) -> None:
    """It leaves no resources, but each reason with its parts."""
    spec = "spec: {workers: {lms: {hgh: {}, high: {concurrency: 0}}}}\n"
    given = sites.function_input(kustomize, sites.site("22"), HEAD + spec)
    run_function(given, tmp_path, report=tmp_path / "report")
    report = (tmp_path / "report").read_bytes()
    assert report
    assert read_report(report) == []
    config = ResourceRef(api_version="celery.openedx.io/v1alpha1", kind="CeleryWorkers", name="celery-workers")
    problems = problems_of(report)
    assert {(each.severity, each.resource, each.field) for each in problems} == {
        (ERROR, config, "spec.workers.lms.high.concurrency")
    }
    (tmp_path / "config.yaml").write_text(HEAD + spec)
    run_function(b"", tmp_path, tmp_path / "config.yaml", report=tmp_path / "twice")
    run_function(b"", tmp_path, tmp_path / "config.yaml", report=tmp_path / "twice")
    assert problems_of((tmp_path / "twice").read_bytes()) == problems


def test_a_run_that_never_ended_says_nothing() -> None:
    assert (read_report(b""), problems_of(b"")) == ([], ())


def test_warnings_are_told_beside_the_resources(kustomize: Path, tmp_path: Path) -> None:
    spec = "spec: {unassignedQueues: Ignore, workers: {lms: {}}}\n"
    run_function(sites.function_input(kustomize, sites.site("22"), HEAD + spec), tmp_path, report=tmp_path / "report")
    report = (tmp_path / "report").read_bytes()
    (run,) = read_report(report)
    assert run.made
    (problem,) = problems_of(report)
    assert (problem.severity, problem.field) == (WARNING, "spec.workers.lms")
    assert "no worker would consume edx.lms.core.high" in problem.message
    assert problem.remedy.startswith("Give each a worker here")
