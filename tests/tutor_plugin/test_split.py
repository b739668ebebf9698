"""`tutor config save` of a real Tutor puts the split into env/, or leaves one that nobody can apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import FILE, PLACE
from tests import sites
from tests.builds import documents
from tests.tutor_plugin.real_tutor import plugin_environment, tutor

if TYPE_CHECKING:
    import subprocess

WORKERS = ("lms-worker", "lms-worker-high", "lms-worker-high-mem", "cms-worker", "cms-worker-high", "cms-worker-low")
HOOKED = """
from kustomizer.tutor_plugin.hooks import CELERY_WORKERS

@CELERY_WORKERS.add()
def add_worker(spec):
    spec.setdefault("workers", {}).setdefault("lms", {})["grading"] = {"queues": ["grading"], "concurrency": 2}
    return spec
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Tutor 22 with the plugin on, whose root has a configuration and no env/."""
    environ = plugin_environment(tmp_path, "22")
    # This saves env/, too.
    done = tutor(environ, "plugins", "enable", "kustomizer")
    assert done.returncode == 0, done.stderr
    assert "split by the recommended queues" in done.stderr
    assert "To keep it as Tutor writes it: tutor config save --set KUSTOMIZER_SPLIT=false" in done.stderr
    return environ


def root_of(env: dict[str, str]) -> Path:
    return Path(env["TUTOR_ROOT"])


def saved(env: dict[str, str], *options: str, version: str = "22") -> subprocess.CompletedProcess[str]:
    command = ("config", "save") if version == "22" else ("kustomizer", "save")
    return tutor(env, *command, *options, version=version)


def deployments(env: dict[str, str]) -> set[str]:
    """Return the Deployments that anybody who applies env/ gets."""
    built = sites.run(sites.kustomize(sites.NEWEST), "build", root_of(env) / "env")
    return {item.name for item in documents(built) if item.kind == "Deployment"}


def test_from_the_first_save_to_a_configuration_of_ones_own(env: dict[str, str]) -> None:
    done = saved(env)
    assert done.returncode == 0, done.stderr
    assert "split by the recommended queues" in done.stderr
    assert deployments(env) >= set(WORKERS)
    assert "env/ is as it was saved." in tutor(env, "kustomizer", "status").stdout
    refused = tutor(env, "kustomizer", "queue", "set", "lms", "high", "--concurrency", "2")
    assert refused.returncode == 1
    assert "tutor kustomizer init" in refused.stderr

    assert tutor(env, "kustomizer", "init").returncode == 0
    assert tutor(env, "kustomizer", "queue", "set", "lms", "high", "--concurrency", "2").returncode == 0
    assert "celery-workers.yaml has changed: tutor config save" in tutor(env, "kustomizer", "status").stdout
    values = root_of(env) / "config.yml"
    text = values.read_text()
    values.write_text(f"{text}KUSTOMIZER_CONFIG: missing.yaml\n")
    status = tutor(env, "kustomizer", "status")
    assert (status.returncode, "isn't as it was saved" in status.stdout) == (0, True), status.stderr
    values.write_text(text)
    done = saved(env)
    assert "split by celery-workers.yaml" in done.stderr
    assert "KUSTOMIZER_SPLIT" not in done.stderr
    built = sites.run(sites.kustomize(sites.NEWEST), "build", root_of(env) / "env").decode()
    assert "--concurrency=2" in built
    for command in ("queues", "check"):
        shown = tutor(env, "kustomizer", command)
        assert shown.returncode == 0, shown.stderr
    assert "lms-worker-high-mem" in tutor(env, "kustomizer", "queues").stdout


def test_what_is_refused_fails_the_save_and_every_build(env: dict[str, str]) -> None:
    assert saved(env).returncode == 0
    config = root_of(env) / "celery-workers.yaml"
    config.write_text(
        "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: a}\n"
        "spec: {workers: {lms: {hgh: {}}}}\n"
    )
    done = saved(env)
    assert done.returncode == 1
    assert "no worker would consume" in done.stderr
    assert "Traceback" not in done.stderr
    assert is_missing(root_of(env) / "env")
    with pytest.raises(RuntimeError, match="the-split-is-missing--run-tutor-config-save"):
        deployments(env)
    assert "can't be built until it is: tutor config save" in tutor(env, "kustomizer", "status").stdout
    config.unlink()
    assert saved(env).returncode == 0
    assert deployments(env) >= set(WORKERS)


def test_without_anything_that_builds(env: dict[str, str], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = saved({**env, "PATH": str(empty)})
    assert done.returncode == 0, done.stderr
    assert "neither kubectl nor kustomize" in done.stderr
    assert is_missing(root_of(env) / "env")


@pytest.mark.parametrize("option", ["KUSTOMIZER_SPLIT=false", "KUSTOMIZER_OVERLAY=../overlay"])
def test_env_as_tutor_writes_it(option: str, env: dict[str, str]) -> None:
    overlay = root_of(env).parent / "overlay"
    overlay.mkdir()
    (overlay / "celery-workers.yaml").write_text(
        "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: a}\n"
    )
    (overlay / "kustomization.yaml").write_text("transformers: [celery-workers.yaml]\n")
    assert saved(env).returncode == 0
    done = saved(env, "--set", option)
    assert done.returncode == 0, done.stderr
    assert "kustomizer" not in done.stderr.replace(str(root_of(env)), "")
    kustomization = (root_of(env) / "env" / FILE).read_text()
    assert PLACE not in kustomization
    assert not deployments(env) & {"lms-worker-high", "cms-worker-low"}
    status = tutor(env, "kustomizer", "status").stdout
    assert ("Nothing is split" in status) == ("SPLIT" in option)
    assert ("holds the split (KUSTOMIZER_OVERLAY)" in status) == ("OVERLAY" in option)


def test_another_plugin_brings_a_worker(env: dict[str, str], tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "grading.py").write_text(HOOKED)
    env = {**env, "TUTOR_PLUGINS_ROOT": str(plugins)}
    assert tutor(env, "plugins", "enable", "grading").returncode == 0
    done = saved(env)
    assert done.returncode == 0, done.stderr
    assert deployments(env) >= {*WORKERS, "lms-worker-grading"}


MORE = """
name: more
version: 1.0.0
patches:
  k8s-services: |
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: NAME
    spec: {selector: {a: b}, ports: [{port: 80}]}
"""


@pytest.mark.parametrize("version", ["16", "22"])
def test_what_tutor_would_write_otherwise_is_said(version: str, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    environ = {**plugin_environment(tmp_path, version), "TUTOR_PLUGINS_ROOT": str(plugins)}
    (plugins / "more.yml").write_text(MORE)
    assert tutor(environ, "plugins", "enable", "kustomizer", "more", version=version).returncode == 0
    assert saved(environ, version=version).returncode == 0
    assert "env/ is as it was saved." in tutor(environ, "kustomizer", "status", version=version).stdout
    assert "isn't" not in tutor(environ, "kustomizer", "queues", version=version).stderr
    # Another object of a plugin's.
    (plugins / "more.yml").write_text(MORE.replace("NAME", "other"))
    command = "tutor config save" if version == "22" else "tutor kustomizer save"
    status = tutor(environ, "kustomizer", "status", version=version).stdout
    assert f"env/ isn't as it was saved, it would change k8s/services.yml: {command}" in status
    queues = tutor(environ, "kustomizer", "queues", version=version)
    assert "env isn't what Tutor would write now: it would change k8s/services.yml" in queues.stderr
    assert f"Run `{command}` first" in queues.stderr
    # Another worker of a plugin's.
    (plugins / "more.yml").unlink()
    (plugins / "more.py").write_text(HOOKED)
    status = tutor(environ, "kustomizer", "status", version=version).stdout
    assert "what other plugins add to the split has changed" in status


@pytest.mark.parametrize("version", ["16", "21"])
def test_older_tutors_have_a_command_of_ours(version: str, tmp_path: Path) -> None:
    environ = plugin_environment(tmp_path, version)
    assert tutor(environ, "plugins", "enable", "kustomizer", version=version).returncode == 0
    plain = tutor(environ, "config", "save", version=version)
    assert plain.returncode == 0, plain.stderr
    with pytest.raises(RuntimeError, match="the-split-is-missing--run-tutor-kustomizer-save"):
        deployments(environ)
    done = saved(environ, version=version)
    assert done.returncode == 0, done.stderr
    assert split_directory(root_of(environ) / "env") is not None
    assert deployments(environ) >= set(WORKERS)
