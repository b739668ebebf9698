"""What the function tells the command that had kustomize run it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kustomizer.kustomize.function_log import read_report
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
    spec = "spec: {workers: {lms: {hgh: {}}}}\n"
    given = sites.function_input(kustomize, sites.site("22"), HEAD + spec)
    run_function(given, tmp_path, report=tmp_path / "report")
    assert (tmp_path / "report").read_bytes() == b""
    assert read_report(b"") == []
