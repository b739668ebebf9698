"""What commands make of an env/ that holds the split: of a real site, as Git holds it."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kustomizer.kustomize.executable import Kustomize
from kustomizer.tutor_env.step import Request, save_split
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED
from tests.git_checkout import commit, git
from tests.tutor_env.site_root import command, fresh_root, render_again

if TYPE_CHECKING:
    from pathlib import Path


def save(root: Path, spec: str = RECOMMENDED) -> None:
    config = root / "celery-workers.yaml"
    config.write_text(HEAD + spec)
    save_split(Request(root=root, named=config), Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=""))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a Tutor root, a Git repository of its own, whose env/ holds the split and was committed."""
    root = fresh_root(tmp_path / "root", "22")
    save(root)
    git(root, "init", "--quiet")
    commit(root)
    return root


def run(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command(root.parent, *arguments, cwd=root, PATH=os.environ["PATH"])


def overlay_over(root: Path) -> Path:
    """Write an overlay with the function and the same configuration over env/."""
    overlay = root / "overlay"
    overlay.mkdir()
    (overlay / "config.yaml").write_text(HEAD + EXEC + RECOMMENDED)
    (overlay / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [config.yaml]\n")
    return overlay


def test_diff_with_a_revision_shows_what_the_save_has_changed(root: Path) -> None:
    assert "Nothing changes." in run(root, "diff", "--base", "HEAD", "env").stdout
    render_again(root, "22")
    save(root, RECOMMENDED.replace("low: {}", "low: {concurrency: 3}"))
    commit(root)
    done = run(root, "diff", "--base", "HEAD~1", "env")
    assert done.returncode == 0, done.stderr
    assert "cms-worker-low" in done.stdout
    assert "--concurrency" in done.stdout
    assert "lms-worker-high" not in done.stdout


@pytest.mark.parametrize("form", ["text", "markdown", "json", "github", "html"])
def test_diff_says_that_nothing_was_saved(form: str, root: Path) -> None:
    config = root / "celery-workers.yaml"
    config.write_text(config.read_text().replace("low: {}", "low: {concurrency: 3}"))
    done = run(root, "diff", "--base", "HEAD", "env", "-o", form, "--fail-on", "warning")
    assert done.returncode == 3, done.stderr
    said = " ".join(html.unescape(done.stdout).split())
    assert said.count("isn't what Tutor would write now") == 1, done.stdout
    assert "stale-env" in said
    assert "stale" not in done.stderr
    if form == "json":
        found = json.loads(done.stdout)
        assert found["objects"] == []
        assert [item["rule"] for item in found["findings"]] == ["stale-env"]
    ignored = root / ".tutor-kustomizer-ignore.yaml"
    ignored.write_text("ignore: [{rule: stale-env, reason: it is saved when it is merged}]\n")
    assert run(root, "diff", "--base", "HEAD", "env", "-o", form, "--fail-on", "warning").returncode == 0


def test_diff_says_it_once_where_both_builds_have_the_same_env(root: Path) -> None:
    overlay = overlay_over(root)
    git(root, "rm", "-r", "--quiet", "--cached", "env")
    (root / ".gitignore").write_text("env/\n")
    commit(root)
    (overlay / "kustomization.yaml").write_text("resources: [../env, more.yaml]\ntransformers: [config.yaml]\n")
    (overlay / "more.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
    services = root / "env" / "k8s" / "services.yml"
    services.write_text(services.read_text() + "# one more\n")
    for arguments in (("--base", "HEAD", "overlay"), ("env", "overlay")):
        done = run(root, "diff", *arguments)
        assert done.returncode == 0, done.stderr
        assert "1 add" in done.stdout.splitlines()[-1]
        assert " ".join(done.stdout.split()).count("files that Tutor wrote have changed") == 1


def test_diff_says_nothing_of_what_was_not_saved_before(root: Path, tmp_path: Path) -> None:
    config = root / "celery-workers.yaml"
    config.write_text(config.read_text().replace("low: {}", "low: {concurrency: 3}"))
    commit(root)
    shutil.copytree(root, tmp_path / "old")
    render_again(root, "22")
    save(root, RECOMMENDED.replace("low: {}", "low: {concurrency: 3}"))
    commit(root)
    old = tmp_path / "old"
    for base in (["--base", "HEAD~1"], ["--base", "HEAD", "--base-tutor-root", old], [old / "env"]):
        done = run(root, "diff", *base, "env", "--fail-on", "warning")
        assert done.returncode == 0, done.stdout
        assert "stale" not in done.stdout
        assert "--concurrency" in done.stdout
    assert "stale-env" in run(root, "diff", "env", old / "env").stdout


def test_an_env_that_was_committed_later_is_said_to_be_so(root: Path) -> None:
    git(root, "rm", "-r", "--quiet", "--cached", "env")
    overlay_over(root)
    git(root, "add", "overlay")
    git(root, "commit", "--quiet", "--message", "an overlay, and no env/")
    commit(root)
    done = run(root, "diff", "--base", "HEAD~1", "overlay")
    assert done.returncode == 1
    assert "overlay at HEAD~1 names env, which that revision doesn't hold: it was committed later" in done.stderr
    assert "--base-tutor-root" in done.stderr
    assert "no such file" not in done.stderr
    named = run(root, "diff", "--base", "HEAD~1", "--base-tutor-root", root, "overlay")
    assert named.returncode == 0, named.stderr


def test_an_env_that_git_ignores_has_no_other_revision(root: Path, tmp_path: Path) -> None:
    git(root, "rm", "-r", "--quiet", "--cached", "env")
    (root / ".gitignore").write_text("env/\n")
    commit(root)
    done = run(root, "diff", "--base", "HEAD", "env")
    assert done.returncode == 1
    assert "Git ignores env, so that there is none of another revision" in done.stderr
    other = fresh_root(tmp_path / "other", "22")
    save(other, RECOMMENDED.replace("low: {}", "low: {concurrency: 3}"))
    named = run(root, "diff", "--base", "HEAD", "--base-tutor-root", other, "env")
    assert named.returncode == 0, named.stderr
    assert "cms-worker-low" in named.stdout
    assert "lms-worker-high" not in named.stdout


def test_env_beside_its_overlay_destroys_nothing(root: Path) -> None:
    overlay = overlay_over(root)
    delete = "patches: [{target: {kind: Job, labelSelector: app.kubernetes.io/component=job}, patch: 'DELETE'}]\n"
    patch = "{$patch: delete, apiVersion: batch/v1, kind: Job, metadata: {name: any}}"
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text() + delete.replace("'DELETE'", f'"{patch}"'))
    done = run(root, "diff", "env", "overlay")
    assert done.returncode == 0, done.stderr
    assert "cms-job, lms-job" in done.stdout
    assert "Tutor's template Jobs, which Tutor never applies" in " ".join(done.stdout.split())
    assert run(root, "diff", "--detailed-exitcode", "env", "overlay").returncode == 0


def test_export(root: Path, tmp_path: Path) -> None:
    done = run(root, "export", "env", "-o", tmp_path / "plain")
    assert done.returncode == 1
    assert "env holds the split already, as plain kustomize: there is nothing to export" in done.stderr
    overlay = overlay_over(root)
    done = run(root, "export", overlay, "-o", tmp_path / "plain")
    assert done.returncode == 1
    assert "the function changed nothing in this overlay: there is nothing to export" in done.stderr
    assert not (tmp_path / "plain").exists()


def test_build_and_check_of_env_itself(root: Path) -> None:
    built = run(root, "build", "env")
    assert built.returncode == 0, built.stderr
    assert built.stdout.encode() == sites.run(sites.kustomize(sites.NEWEST), "build", root / "env")
    checked = run(root, "check", "env", "--fail-on", "warning")
    assert checked.returncode == 0, checked.stdout
