"""`tutor kustomizer …` in a real Tutor, which finds the plugin as pip would have installed it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests import sites
from tests.builds import Loader, stem
from tests.git_checkout import commit, git
from tests.rules.small_site import routed_by
from tests.tutor_plugin.real_tutor import plugin_environment, tutor


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Tutor that has the plugin, on a copy of a real root."""
    environ = plugin_environment(tmp_path, "22")
    shutil.copytree(sites.site("22"), f"{environ['TUTOR_ROOT']}/env")
    return environ


@pytest.fixture
def env_16(env: dict[str, str]) -> dict[str, str]:
    """Return the same for the oldest Tutor."""
    shutil.copytree(sites.site("16"), f"{env['TUTOR_ROOT']}/env", dirs_exist_ok=True)
    shutil.copy(sites.site("16").parent / "config.yml", env["TUTOR_ROOT"])
    return env


def test_no_path_has_to_be_given(env: dict[str, str], tmp_path: Path) -> None:
    enabled = tutor(env, "plugins", "enable", "kustomizer")
    assert enabled.returncode == 0, enabled.stderr
    made = tutor(env, "kustomizer", "init", str(tmp_path / "overlay"))
    assert made.returncode == 0, made.stderr
    built = tutor(env, "kustomizer", "build", str(tmp_path / "overlay"), "-o", str(tmp_path / "site.yaml"))
    assert built.returncode == 0, built.stderr
    listed = tutor(env, "kustomizer", "queues", str(tmp_path / "site.yaml"))
    assert "edx.lms.core.high_mem" in listed.stdout


def test_an_error_is_one_message(env: dict[str, str], tmp_path: Path) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    refused = tutor(env, "kustomizer", "build", str(sites.site("22")))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "without the function" in refused.stderr


ROUTED = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata:
  name: celery-workers
  annotations:
    config.kubernetes.io/function: "exec: {path: tutor-celery-workers}"
spec:
  workers: {lms: {high: {}, high_mem: {}}}
  routing: {lms: {a.task: {queue: edx.lms.core.high}}}
"""


def overlay(env: dict[str, str]) -> Path:
    """Write an overlay beside env/ that routes a task, and return it."""
    made = Path(env["TUTOR_ROOT"]) / "overlay"
    made.mkdir()
    (made / "celery-workers.yaml").write_text(ROUTED)
    (made / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [celery-workers.yaml]\n")
    return made


def built(env: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the data of the ConfigMaps of the overlay's build, by name without a hash."""
    done = tutor(env, "kustomizer", "build", str(Path(env["TUTOR_ROOT"]) / "overlay"))
    assert done.returncode == 0, done.stderr
    documents = [each for each in yaml.load_all(done.stdout, Loader) if each["kind"] == "ConfigMap"]
    return {stem(each["metadata"]["name"]): each["data"] for each in documents}


def test_tutor_renders_the_routing_and_the_function_adds_none(env: dict[str, str]) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    # Else env/ itself holds the split, of the recommended queues.
    assert tutor(env, "config", "save", "--set", "KUSTOMIZER_SPLIT=false").returncode == 0
    overlay(env)
    before = built(env)
    assert "a.task" in before["lms-celery-settings"]["production.py"]
    assert "a.task" not in before["openedx-settings-lms"]["production.py"]

    saved = tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=overlay")
    assert saved.returncode == 0, saved.stderr
    after = built(env)
    assert "lms-celery-settings" not in after
    # Commands mean that overlay where none is given.
    listed = tutor(env, "kustomizer", "queues", "-o", "json")
    assert '"a.task"' in listed.stdout, listed.stderr
    assert "name: lms-worker-high\n" in tutor(env, "kustomizer", "build").stdout
    assert "0 errors" in tutor(env, "kustomizer", "check").stdout
    assert tutor(env, "kustomizer", "queue", "set", "lms", "high", "--replicas", "2").returncode == 0
    assert tutor(env, "kustomizer", "export", "-o", f"{env['TUTOR_ROOT']}/plain").returncode == 0
    text = after["openedx-settings-lms"]["production.py"]
    assert routed_by(text) == {"a.task": "edx.lms.core.high"}
    assert "EXPLICIT_QUEUES" not in after["openedx-settings-cms"]["production.py"]
    assert "a.task" not in after["lms-worker-high-celery-settings"]["production.py"]


def test_the_oldest_tutor_renders_it_too(env_16: dict[str, str]) -> None:
    assert tutor(env_16, "plugins", "enable", "kustomizer", version="16").returncode == 0
    overlay(env_16)
    saved = tutor(env_16, "config", "save", "--set", "KUSTOMIZER_OVERLAY=overlay", version="16")
    assert saved.returncode == 0, saved.stderr
    text = (Path(env_16["TUTOR_ROOT"]) / "env/apps/openedx/settings/lms/production.py").read_text()
    assert routed_by(text) == {"a.task": "edx.lms.core.high"}


def test_a_configuration_that_cannot_be_read_fails_the_rendering(env: dict[str, str]) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    refused = tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=nowhere")
    assert refused.returncode != 0
    assert "KUSTOMIZER_OVERLAY: " in refused.stderr
    assert "nowhere" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_overlay_whose_name_is_a_number(env: dict[str, str]) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    overlay(env).rename(Path(env["TUTOR_ROOT"]) / "2024")
    saved = tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=2024")
    assert saved.returncode == 0, saved.stderr
    assert '"a.task"' in tutor(env, "kustomizer", "queues", "-o", "json").stdout
    refused = tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=[a]")
    assert refused.returncode != 0
    assert "KUSTOMIZER_OVERLAY: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_route_without_a_save_is_said(env: dict[str, str]) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    overlay(env)
    assert tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=overlay").returncode == 0
    stale = "isn't what Tutor would write now: it would change apps/openedx/settings/lms/production.py"
    for change, is_stale in (("", False), ("b.task", True), ("", False)):
        if change:
            assert tutor(env, "kustomizer", "route", "lms", change, "edx.lms.core.high").returncode == 0
        else:
            assert tutor(env, "config", "save").returncode == 0
        queues, checked = tutor(env, "kustomizer", "queues"), tutor(env, "kustomizer", "check")
        assert (queues.returncode, checked.returncode) == (0, 0), (queues.stderr, checked.stderr)
        assert (stale in queues.stderr) == is_stale, queues.stderr
        assert ("stale-env" in checked.stdout) == is_stale, checked.stdout


def test_diff_means_the_overlay_where_a_revision_is_its_base(env: dict[str, str]) -> None:
    tutor(env, "plugins", "enable", "kustomizer")
    root = overlay(env).parent
    tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=overlay")
    git(root, "init")
    commit(root)
    config = root / "overlay" / "celery-workers.yaml"
    config.write_text(config.read_text().replace("high: {}", "high: {replicas: 7}"))
    done = tutor(env, "kustomizer", "diff", "--base", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "lms-worker-high" in done.stdout


def test_an_environment_that_is_not_active(env: dict[str, str], tmp_path: Path) -> None:
    """Neither our commands nor Tutor are on PATH: each finds the others of the environment it was started from."""
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "kustomize").symlink_to(sites.kustomize(sites.NEWEST))
    env["PATH"] = f"{tmp_path / 'only'}:/usr/bin:/bin"
    tutor(env, "plugins", "enable", "kustomizer")
    made = tutor(env, "kustomizer", "init", str(tmp_path / "root" / "overlay"))
    assert f"Next: tutor kustomizer build {tmp_path}" in made.stderr
    saved = tutor(env, "config", "save", "--set", "KUSTOMIZER_OVERLAY=overlay")
    assert saved.returncode == 0, saved.stderr
    root = Path(env["TUTOR_ROOT"])
    git(root, "init")
    commit(root)
    for words in (["build", "-o", str(tmp_path / "site.yaml")], ["check"], ["diff", "--base", "HEAD", "--render"]):
        done = tutor(env, "kustomizer", *words)
        assert done.returncode == 0, done.stderr
    assert "Nothing changes." in done.stdout


def test_without_an_overlay_tutor_renders_what_it_did(env: dict[str, str]) -> None:
    settings = Path(env["TUTOR_ROOT"]) / "env/apps/openedx/settings/lms/production.py"
    tutor(env, "config", "save")
    before = settings.read_text()
    tutor(env, "plugins", "enable", "kustomizer")
    saved = tutor(env, "config", "save")
    assert saved.returncode == 0, saved.stderr
    assert settings.read_text() == before
