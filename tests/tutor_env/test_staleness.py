"""An env/ that Tutor would write otherwise now is said to be stale, by its contents."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.split_names import FILE
from kustomizer.tutor_env import state
from kustomizer.tutor_env.kustomization import as_tutors
from kustomizer.tutor_env.staleness import stale_envs, stale_reason_of
from kustomizer.tutor_env.step import Request, save_split
from tests import parts, sites
from tests.builds import HEAD, RECOMMENDED
from tests.tutor_env.site_root import command, fresh_root

HERE = sorted([*sites.PLAIN_SITES, "oracle", "full", "drydock", "k8s", "k8s-keda", "operators"])


def copied_root(directory: Path, site: str = "22") -> Path:
    """Return a root whose env/ Tutor made from its config.yml."""
    shutil.copytree(sites.site(site), directory / "env")
    shutil.copyfile(sites.site(site).parent / "config.yml", directory / "config.yml")
    return directory


def set_value(root: Path, key: str, value: str) -> None:
    config = root / "config.yml"
    kept = [line for line in config.read_text().splitlines() if not line.startswith(f"{key}:")]
    config.write_text("\n".join([*kept, f"{key}: {value}", ""]))


@pytest.mark.parametrize("site", HERE)
def test_what_tutor_has_written_is_not_stale(site: str, tmp_path: Path) -> None:
    assert stale_reason_of(str(copied_root(tmp_path, site) / "env")) == ""


@pytest.mark.parametrize("site", sites.PLAIN_SITES)
@pytest.mark.parametrize("key", ["K8S_NAMESPACE", "ID", "LMS_HOST", "CMS_HOST", "DOCKER_IMAGE_OPENEDX"])
def test_a_value_of_the_configuration_that_env_does_not_hold(key: str, site: str, tmp_path: Path) -> None:
    root = copied_root(tmp_path, site)
    set_value(root, key, "other.example.com")
    assert f"config.yml says {key}: other.example.com, and " in stale_reason_of(str(root / "env"))


@pytest.mark.parametrize("value", ["'{{ LMS_HOST }}.other'", "|-", "''"])
def test_a_value_that_cannot_be_told_without_tutor(value: str, tmp_path: Path) -> None:
    root = copied_root(tmp_path)
    set_value(root, "CMS_HOST", value)
    assert stale_reason_of(str(root / "env")) == ""


@pytest.mark.parametrize("value", ["openedx # ours", "'openedx' # ours", '"openedx"'])
def test_a_comment_is_no_part_of_a_value(value: str, tmp_path: Path) -> None:
    root = copied_root(tmp_path)
    set_value(root, "K8S_NAMESPACE", value)
    assert stale_reason_of(str(root / "env")) == ""


def test_a_value_that_the_environment_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copied_root(tmp_path)
    set_value(root, "CMS_HOST", "other.example.com")
    monkeypatch.setenv("TUTOR_CMS_HOST", "lms.example.com")
    assert stale_reason_of(str(root / "env")) == ""


def test_times_of_files_say_nothing(tmp_path: Path) -> None:
    root = copied_root(tmp_path)
    os.utime(root / "config.yml", (4e9, 4e9))
    for path in (root / "env").rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert stale_reason_of(str(root / "env")) == ""


def test_an_env_of_two_versions(tmp_path: Path) -> None:
    root = copied_root(tmp_path)
    (root / "env" / "version").write_text("21.0.0")
    [problem] = stale_envs([str(root / "env"), str(root)])
    assert "env/version says 21.0.0, and kustomization.yml another version" in problem.message
    assert "Run `tutor config save` first" in str(problem)


def test_a_split_that_was_made_from_something_else(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    env = str(root / "env")
    save_split(Request(root=root), Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=""))
    assert stale_reason_of(env) == ""
    config = root / "celery-workers.yaml"
    config.write_text(HEAD + RECOMMENDED)
    assert stale_reason_of(env) == f"{config} has changed"
    config.unlink()
    services = root / "env" / "k8s" / "services.yml"
    services.write_text(services.read_text() + "# one more\n")
    assert stale_reason_of(env) == "files that Tutor wrote have changed"


def test_a_split_of_another_version_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root), Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=""))
    monkeypatch.setattr(state, "__version__", "9.9")
    assert stale_reason_of(str(root / "env")).endswith(" of tutor-kustomizer split it, and this is 9.9")


def test_commands_say_it_and_go_on(tmp_path: Path) -> None:
    root = copied_root(tmp_path / "root")
    overlay = tmp_path / "overlay"
    made = command(tmp_path, "init", overlay, "--tutor-root", root)
    assert (made.returncode, "isn't what Tutor" in made.stderr) == (0, False), made.stderr
    assert command(tmp_path, "check", overlay, "--fail-on", "warning").returncode == 0
    set_value(root, "K8S_NAMESPACE", "other")
    said = "isn't what Tutor would write now: config.yml says K8S_NAMESPACE: other, and kustomization.yml another value"
    for arguments in (
        ("build", overlay),
        ("build", overlay, "--time-limit", "100"),
        ("queues", overlay),
        ("export", overlay, "-o", tmp_path / "plain"),
        ("init", tmp_path / "second", "--tutor-root", root),
    ):
        done = command(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(said) == 1, (arguments, done.stderr)
        assert f"{root.name}/env isn't" in done.stderr
    # Before it asks a cluster, which isn't there.
    applied = command(tmp_path, "apply", overlay, "--dry-run", "--kubectl", parts.program("kubectl"))
    assert applied.stderr.count(said) == 1
    checked = command(tmp_path, "check", overlay, "--fail-on", "warning")
    assert checked.returncode == 3
    assert "stale-env" in checked.stdout
    assert "K8S_NAMESPACE" in checked.stdout


def test_the_kustomization_of_another_plugin_is_told_without_the_split(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    kustomization = root / "env" / FILE
    kustomization.write_text(kustomization.read_text() + "transformers: [plugins/x.yaml]\n")
    (root / "env" / "plugins").mkdir(exist_ok=True)
    (root / "env" / "plugins" / "x.yaml").write_text(
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: x}\nannotations: {x: 'y'}\n"
        "fieldSpecs: [{path: metadata/annotations, create: true, kind: Service}]\n"
    )
    before = as_tutors(kustomization.read_text())
    save_split(Request(root=root), Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=""))
    after = as_tutors(kustomization.read_text())
    assert "split-" not in after
    assert after.split() == before.split()
