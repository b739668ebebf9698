"""`tutor-kustomizer init` and `build`: from a real Tutor site to a split one."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.config.load import load
from tests import sites
from tests.builds import commands, documents

VARIANTS = {"lms-worker", "lms-worker-high", "lms-worker-high-mem", "cms-worker", "cms-worker-high", "cms-worker-low"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Return a runner whose PATH has a kustomize and the function under the name that the package installs."""
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:{os.environ['PATH']}")
    return CliRunner()


def init(run: CliRunner, tmp_path: Path, site: str, *options: str) -> Result:
    root = sites.site(site).parent
    return run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", str(root), *options])


@pytest.mark.parametrize("site", ["16", "22", "full"])
def test_a_new_overlay_builds(site: str, run: CliRunner, tmp_path: Path) -> None:
    made = init(run, tmp_path, site)
    assert made.exit_code == 0, made.output
    assert "lms-worker consumes edx.lms.core.default, edx.lms.core.high, edx.lms.core.high_mem" in made.stderr
    assert "broker: Redis redis.openedx:6379, database 0" in made.stderr
    assert ("HorizontalPodAutoscaler lms-worker" in made.stderr) == (site == "full")

    built = run.invoke(main, ["build", str(tmp_path / "overlay"), "-o", str(tmp_path / "built.yaml")])
    assert built.exit_code == 0, built.output
    items = documents((tmp_path / "built.yaml").read_bytes())
    assert {item.name for item in items if item.kind == "Deployment"} >= VARIANTS
    assert not [item for item in items if item.kind in {"CeleryWorkers", "Job"} and "job" in item.name]


def test_the_next_command_can_be_pasted(run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = tmp_path / "our 'own' overlay"
    made = run.invoke(main, ["init", str(overlay), "--tutor-root", str(sites.site("22").parent)])
    next_command = made.stderr.partition("Next: ")[2]
    assert shlex.split(next_command) == ["tutor-kustomizer", "build", str(overlay), "-o", "site.yaml"]
    monkeypatch.chdir(tmp_path)
    assert run.invoke(main, shlex.split(next_command)[1:]).exit_code == 0
    assert (tmp_path / "site.yaml").is_file()


def test_the_configuration_is_one_that_loads(run: CliRunner, tmp_path: Path) -> None:
    init(run, tmp_path, "22")
    config = load(yaml.safe_load((tmp_path / "overlay" / "celery-workers.yaml").read_text()))
    assert {service: list(workers) for service, workers in config.spec.workers.items()} == {
        "cms": ["default", "high", "low"],
        "lms": ["default", "high", "high_mem"],
    }


def test_keda_is_one_word_away(run: CliRunner, tmp_path: Path) -> None:
    init(run, tmp_path, "22")
    path = tmp_path / "overlay" / "celery-workers.yaml"
    path.write_text(path.read_text().replace("enabled: false", "enabled: true"))
    built = run.invoke(main, ["build", str(tmp_path / "overlay")])
    assert built.exit_code == 0, built.output
    assert built.stdout.count("kind: ScaledObject") == len(VARIANTS)


def test_a_guard_of_a_service_that_is_not_split_any_more(run: CliRunner, tmp_path: Path) -> None:
    init(run, tmp_path, "22")
    path, build = (
        tmp_path / "overlay" / "celery-workers.yaml",
        ["build", str(tmp_path / "overlay"), "-o", str(tmp_path / "b")],
    )
    head, _, lms = path.read_text().partition("    cms:\n")
    path.write_text(head + "    lms:\n" + lms.partition("    lms:\n")[2])
    refused = run.invoke(main, build)
    assert refused.exit_code == 1
    assert "let it name lms-worker-celery-settings or cms-worker-celery-settings" in refused.stderr
    assert run.invoke(main, ["init", str(tmp_path / "overlay"), "--refresh"]).exit_code == 0
    assert run.invoke(main, build).exit_code == 0


CELERY = """          - "celery"
          - "--app=%s.celery"
          - "worker"
"""
IN_A_SHELL = """          - "sh"
          - "-c"
          - "%s"
"""
MULTI = """          - "celery"
          - "multi"
          - "start"
          - "w1"
          - "w2"
          - "--app=lms.celery"
"""
PIPED = IN_A_SHELL % "celery --app=%s.celery worker | tee log"


def changed_site(directory: Path, *changes: tuple[str, str]) -> str:
    """Return the root of a copy of Tutor's site in whose Deployments these texts stand in place of others."""
    root = directory / "changed"
    shutil.copytree(sites.site("22"), root / "env")
    path = root / "env" / "k8s" / "deployments.yml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return str(root)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((CELERY % "lms", PIPED % "lms"), "the worker's command line can't be edited: "),
        ((CELERY % "lms", IN_A_SHELL % "exec celery --app=lms.celery worker $OPTIONS"), "$OPTIONS may hold options"),
        ((CELERY % "lms", MULTI), "`celery multi` starts its workers in the background"),
    ],
)
def test_a_worker_that_cannot_be_split_is_left_out(
    change: tuple[str, str], why: str, run: CliRunner, tmp_path: Path
) -> None:
    made = run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", changed_site(tmp_path, change)])
    assert made.exit_code == 0, made.output
    assert "lms-worker is left out of the configuration:\n  Deployment lms-worker in namespace openedx: " in made.stderr
    assert why in made.stderr
    config = load(yaml.safe_load((tmp_path / "overlay" / "celery-workers.yaml").read_text()))
    assert list(config.spec.workers) == ["cms"]
    built = run.invoke(main, ["build", str(tmp_path / "overlay"), "-o", str(tmp_path / "built.yaml")])
    assert built.exit_code == 0, built.output
    names = {item.name for item in documents((tmp_path / "built.yaml").read_bytes()) if item.kind == "Deployment"}
    assert names >= {"cms-worker-high", "cms-worker-low", "lms-worker"}
    assert not names & {"lms-worker-high", "lms-worker-high-mem"}
    checked = run.invoke(main, ["check", str(tmp_path / "built.yaml"), "--fail-on", "error"])
    assert checked.exit_code == 0, checked.output
    # What it takes can't be known, or is known and taken.
    assert "error: orphaned-queue" not in checked.output


def test_settings_in_the_image(run: CliRunner, tmp_path: Path) -> None:
    """The function makes no settings there, and the guard looks for a copy."""
    changes = [(f"value: {service}.envs.tutor", f"value: {service}.envs") for service in ("lms", "cms")]
    root = changed_site(tmp_path, *changes)
    overlay = str(tmp_path / "overlay")
    assert run.invoke(main, ["init", overlay, "--tutor-root", root]).exit_code == 0
    built = run.invoke(main, ["build", overlay, "-o", str(tmp_path / "built.yaml")])
    assert built.exit_code == 0, built.output
    assert "mounts no ConfigMap at …/lms/envs" in built.stderr
    names = {item.name for item in documents((tmp_path / "built.yaml").read_bytes()) if item.kind == "Deployment"}
    assert names >= VARIANTS

    kustomize = shutil.which("kustomize")
    assert kustomize
    # Without --enable-exec it skips the function.
    skipped = subprocess.run(
        [kustomize, "build", "--enable-alpha-plugins", overlay], capture_output=True, text=True, check=False
    )
    assert skipped.returncode == 1
    assert "nothing selected by Deployment" in skipped.stderr


def test_a_worker_that_is_no_deployment(run: CliRunner, tmp_path: Path) -> None:
    head = "kind: %s\nmetadata:\n  name: lms-worker\n"
    root = changed_site(tmp_path, (head % "Deployment", head % "StatefulSet"))
    made = run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", root])
    assert made.exit_code == 0, made.output
    assert "StatefulSet lms-worker runs a worker and stays as it is" in made.stderr
    built = run.invoke(main, ["build", str(tmp_path / "overlay"), "-o", str(tmp_path / "built.yaml")])
    assert built.exit_code == 0, built.output
    checked = run.invoke(main, ["check", str(tmp_path / "built.yaml"), "--fail-on", "error"])
    assert checked.exit_code == 0, checked.output
    # What it takes can't be known, or is known and taken.
    assert "error: orphaned-queue" not in checked.output

    path = tmp_path / "overlay" / "celery-workers.yaml"
    path.write_text(path.read_text() + "    lms: {high: {}, high_mem: {}}\n")
    refused = run.invoke(main, ["build", str(tmp_path / "overlay")])
    assert refused.exit_code == 1
    assert (
        "StatefulSet lms-worker in namespace openedx: kind: the Celery worker of lms is a StatefulSet" in refused.stderr
    )
    assert "leave lms out of spec.workers" in refused.stderr


def test_no_worker_that_can_be_split(run: CliRunner, tmp_path: Path) -> None:
    root = changed_site(tmp_path, *((CELERY % name, PIPED % name) for name in ("lms", "cms")))
    refused = run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", root])
    assert refused.exit_code == 1
    assert refused.stderr.count("Error: ") == 2
    assert not (tmp_path / "overlay").exists()


@pytest.mark.parametrize(
    ("option", "in_flight"),
    [
        ("--concurrency=auto", None),
        ("--concurrency=0", None),
        ("--concurrency=2", "Slots"),
        ("--autoscale=6,2", "Slots"),
    ],
)
def test_what_is_written_for_a_worker_with_a_concurrency_builds_with_keda(
    option: str, in_flight: str | None, run: CliRunner, tmp_path: Path
) -> None:
    change = ('- "--without-mingle"\n', f'- "--without-mingle"\n          - "{option}"\n')
    root = changed_site(tmp_path, change)
    assert run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", root]).exit_code == 0
    path = tmp_path / "overlay" / "celery-workers.yaml"
    path.write_text(path.read_text().replace("enabled: false", "enabled: true"))
    built = run.invoke(main, ["build", str(tmp_path / "overlay")])
    assert built.exit_code == 0, built.output
    assert built.stdout.count(f"{option}\n") == 6
    keda = yaml.safe_load(path.read_text())["spec"]["workers"]["lms"]["high_mem"]["keda"]
    assert keda.get("inFlight") == in_flight


def test_a_settings_module_that_is_not_tutors_is_named(run: CliRunner, tmp_path: Path) -> None:
    root = changed_site(tmp_path, ("value: lms.envs.tutor.production", "value: lms.envs.tutor.development"))
    assert run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", root]).exit_code == 0
    spec = yaml.safe_load((tmp_path / "overlay" / "celery-workers.yaml").read_text())["spec"]
    assert spec["settings"]["modules"] == {"lms": "lms.envs.tutor.development"}
    built = run.invoke(main, ["build", str(tmp_path / "overlay")])
    assert built.exit_code == 0, built.output


def test_a_variable_that_overrides_the_concurrency(run: CliRunner, tmp_path: Path) -> None:
    """With --autoscale Celery ignores --concurrency, wherever each is from."""
    root = changed_site(
        tmp_path,
        ('- "--without-mingle"\n', '- "--without-mingle"\n          - "--concurrency=2"\n'),
        (
            "- name: SERVICE_VARIANT\n",
            "- {name: CELERY_WORKER_AUTOSCALE, value: '6,1'}\n          - name: SERVICE_VARIANT\n",
        ),
    )
    assert run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", root]).exit_code == 0
    spec = yaml.safe_load((tmp_path / "overlay" / "celery-workers.yaml").read_text())["spec"]
    assert spec["workers"]["lms"]["high_mem"]["keda"]["listLength"] == 6


def test_nothing_is_overwritten_unless_asked(run: CliRunner, tmp_path: Path) -> None:
    init(run, tmp_path, "22")
    mine = tmp_path / "overlay" / "celery-workers.yaml"
    mine.write_text("mine\n")
    refused = init(run, tmp_path, "22")
    assert refused.exit_code == 1
    assert "already there" in refused.stderr
    assert mine.read_text() == "mine\n"
    assert init(run, tmp_path, "22", "--force").exit_code == 0
    assert "CeleryWorkers" in mine.read_text()


def test_a_directory_with_a_kustomization_of_another_name_is_refused(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yml").write_text("resources: [mine.yaml]\n")
    refused = init(run, tmp_path, "22", "--force")
    assert refused.exit_code == 1
    assert "one kustomization per directory" in refused.stderr
    assert [path.name for path in (tmp_path / "overlay").iterdir()] == ["kustomization.yml"]


@pytest.mark.parametrize("place", ["env", "env/overlay"])
def test_tutors_own_directory_is_left_alone(place: str, run: CliRunner, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(sites.site("22"), root / "env")
    before = sorted(root.rglob("*"))
    for options in ([], ["--force"]):
        refused = run.invoke(main, ["init", str(root / place), "--tutor-root", str(root), *options])
        assert refused.exit_code == 1
        assert "Name a directory outside of it" in refused.stderr
    assert sorted(root.rglob("*")) == before


def test_a_root_without_env_is_refused(run: CliRunner, tmp_path: Path) -> None:
    refused = run.invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", str(tmp_path)])
    assert refused.exit_code == 1
    assert "tutor config save" in refused.stderr
    assert not (tmp_path / "overlay").exists()


def test_a_build_without_the_function_fails(run: CliRunner, tmp_path: Path) -> None:
    refused = run.invoke(main, ["build", str(sites.site("22"))])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "without the function" in refused.stderr


def test_kustomizes_own_words_are_passed_on(run: CliRunner, tmp_path: Path) -> None:
    init(run, tmp_path, "22")
    path = tmp_path / "overlay" / "celery-workers.yaml"
    path.write_text(path.read_text().replace("high_mem:", "hgh_mem:"))
    refused = run.invoke(main, ["build", str(tmp_path / "overlay"), "-o", str(tmp_path / "built.yaml")])
    assert refused.exit_code == 1
    assert "no worker would consume edx.lms.core.high_mem" in refused.stderr
    assert not (tmp_path / "built.yaml").exists()


def test_an_old_kustomize_is_refused(run: CliRunner, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho '{kustomize/v4.5.4  2022-03-30T00:00:00Z}'\necho v4.5.4\n")
    old.chmod(0o755)
    refused = run.invoke(main, ["build", str(sites.site("22")), "--kustomize", str(old)])
    assert refused.exit_code == 1
    assert "v4.5.4" in refused.stderr
    assert "5.2 or newer" in refused.stderr


def test_the_command_is_quick_to_say_its_version() -> None:
    said = sites.run(sys.executable, "-c", "from kustomizer.cli import run; run(['--version'])")
    assert said.startswith(b"tutor-kustomizer, version ")
