"""Getting the two builds: files, directories, overlays, and an overlay as it was at a Git revision."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kustomizer.diff.sources import ALLOW_FILE, RevisionOptions, read_both, read_revision
from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from tests import sites
from tests.git_checkout import commit, git
from tests.kustomize.hostile import EXEC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.diff.sources import ComparedBuild

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"


def newest() -> Kustomize:
    return Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=sites.NEWEST)


def revision(overlay: Path, ref: str = "HEAD", **more: object) -> tuple[ComparedBuild, ComparedBuild]:
    return read_revision(RevisionOptions(revision=ref, overlay=overlay, **more), newest)  # type: ignore[arg-type]


def both(before: Path, after: Path) -> tuple[ComparedBuild, ComparedBuild]:
    return read_both(str(before), str(after), newest)


def names(source: ComparedBuild, kind: str = "ConfigMap") -> list[str]:
    return sorted(resource.name for resource in source.resources.of_kind(kind))


def tutor_env(root: Path, config_maps: Sequence[str]) -> Path:
    """Write what has the shape of Tutor's output, with these ConfigMaps."""
    env = root / "env"
    (env / "k8s").mkdir(parents=True, exist_ok=True)
    (env / "k8s" / "deployments.yml").write_text("---\n".join(map(MAP.format, config_maps)))
    (env / "kustomization.yml").write_text("resources: [k8s/deployments.yml]\n")
    return env


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository with one overlay, whose Tutor env/ and secrets Git ignores."""
    top = tmp_path / "repository"
    overlay = top / "overlays" / "site"
    overlay.mkdir(parents=True)
    (top / ".gitignore").write_text("env/\n*.env\n")
    tutor_env(top / "tutor", ["from-tutor"])
    (top / "tutor" / "config.yml").write_text("LMS_HOST: lms.example\n")
    (overlay / "smtp.env").write_text("SMTP_PASSWORD=word-of-the-wise\n")
    (overlay / "own.yaml").write_text(MAP.format("own"))
    (overlay / "kustomization.yaml").write_text(
        "resources: [../../tutor/env, own.yaml]\nsecretGenerator:\n- {name: smtp, envs: [smtp.env]}\n"
    )
    git(tmp_path, "init", "--quiet", str(top))
    commit(top)
    return top


def test_what_git_ignores_comes_from_the_working_tree(checkout: Path) -> None:
    overlay = checkout / "overlays" / "site"
    (overlay / "own.yaml").write_text(MAP.format("renamed"))
    before, after = revision(overlay)
    assert (names(before), names(after)) == (["from-tutor", "own"], ["from-tutor", "renamed"])
    assert names(before, "Secret") == names(after, "Secret") != []
    known = r"overlays/site at HEAD \([0-9a-f]{12}\), tutor/env, overlays/site/smtp.env from the working tree"
    assert re.fullmatch(known, before.label)
    assert after.label == "overlays/site in the working tree, with uncommitted changes"


def test_the_repository_stays_as_it_is(checkout: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in checkout.rglob("*"))

    (checkout / "overlays" / "site" / "own.yaml").write_text(MAP.format("renamed"))
    git(checkout, "status")
    stood = state()
    revision(checkout / "overlays" / "site")
    assert state() == stood


def test_another_tutor_root_for_the_base(checkout: Path, tmp_path: Path) -> None:
    root = tutor_env(tmp_path / "old-root", ["from-old-tutor"]).parent
    before, after = revision(checkout / "overlays" / "site", base_tutor_root=root)
    assert (names(before), names(after)) == (["from-old-tutor", "own"], ["from-tutor", "own"])
    assert f"{root}/env in the place of its own" in before.label


def test_another_tutor_root_where_env_is_committed(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".gitignore").write_text("*.env\n")
    commit(checkout)
    root = tutor_env(tmp_path / "old-root", ["from-old-tutor"]).parent
    before, _after = revision(checkout / "overlays" / "site", base_tutor_root=root)
    assert names(before) == ["from-old-tutor", "own"]
    assert names(revision(checkout / "overlays" / "site")[0]) == ["from-tutor", "own"]


def test_what_is_no_tutor_root_is_refused(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="isn't what Tutor writes"):
        revision(checkout / "overlays" / "site", base_tutor_root=tmp_path)


def test_a_tutor_root_outside_of_the_repository(checkout: Path, tmp_path: Path) -> None:
    shutil.move(checkout / "tutor", tmp_path / "tutor")
    kustomization = checkout / "overlays" / "site" / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("../../tutor", "../../../tutor"))
    commit(checkout)
    before, _after = revision(checkout / "overlays" / "site")
    assert names(before) == ["from-tutor", "own"]
    assert f"{tmp_path}/tutor/env" in before.label


def test_a_new_overlay_has_nothing_to_compare_with(checkout: Path) -> None:
    shutil.copytree(checkout / "overlays" / "site", checkout / "overlays" / "new")
    before, after = revision(checkout / "overlays" / "new")
    assert names(before) == []
    assert names(after) == ["from-tutor", "own"]
    assert before.notes == "overlays/new at HEAD: not there yet\n"
    assert before.label.endswith("), where it isn't there yet")


def test_what_was_not_committed_yet_is_not_in_the_base(checkout: Path) -> None:
    overlay = checkout / "overlays" / "site"
    (overlay / "new.yaml").write_text(MAP.format("new"))
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("own.yaml", "own.yaml, new.yaml"))
    before, after = revision(overlay)
    assert (names(before), names(after)) == (["from-tutor", "own"], ["from-tutor", "new", "own"])


def test_what_git_lacks_at_the_base_is_not_taken_from_what_it_has_now(checkout: Path) -> None:
    overlay = checkout / "overlays" / "site"
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("own.yaml]", "own.yaml, late.yaml]"))
    commit(checkout)
    (overlay / "late.yaml").write_text(MAP.format("late"))
    commit(checkout)
    with pytest.raises(UserError, match=r"late\.yaml"):
        revision(overlay, "HEAD~1")


def test_an_unknown_revision(checkout: Path) -> None:
    with pytest.raises(UserError, match=r"'no-such-branch' is no revision .*fetch-depth: 0"):
        revision(checkout / "overlays" / "site", "no-such-branch")


def test_what_git_says_of_a_remote_shows_no_token(checkout: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", f"file://{checkout}", str(clone))
    git(clone, "remote", "set-url", "origin", "http://127.0.0.1:1/site.git?private_token=hunter2hunter2")
    shutil.copytree(checkout / "overlays", clone / "overlays")
    with pytest.raises(UserError, match="git can't read") as caught:
        revision(clone / "overlays" / "site")
    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_revision_is_no_option(checkout: Path) -> None:
    with pytest.raises(UserError, match="is no revision"):
        revision(checkout / "overlays" / "site", "--all")


def test_outside_of_a_checkout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read as a Git checkout"):
        revision(tmp_path)


def test_an_overlay_that_does_not_build_is_named_as_the_user_knows_it(checkout: Path) -> None:
    overlay = checkout / "overlays" / "site"
    (overlay / "own.yaml").write_text("nonsense: [\n")
    commit(checkout)
    with pytest.raises(UserError) as caught:
        revision(overlay)
    assert str(overlay) in str(caught.value)
    assert "tutor-kustomizer-" not in str(caught.value)


def test_real_tutor_renders_both_sides(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_PLUGINS_ROOT", str(checkout / "no-plugins"))
    root = checkout / "tutor"
    shutil.rmtree(root / "env")
    config = sites.site("22").parent / "config.yml"
    (root / "config.yml").write_text(config.read_text())
    commit(checkout)
    (root / "config.yml").write_text(config.read_text() + "K8S_NAMESPACE: elsewhere\n")
    tutor = str(sites.tutor("22"))
    before, after = revision(checkout / "overlays" / "site", render=True, allow_render=True, tutor=tutor)
    namespaces = [
        {resource.namespace for resource in source.resources.of_kind("Deployment")} for source in (before, after)
    ]
    assert namespaces == [{"openedx"}, {"elsewhere"}]
    assert not (root / "env").exists()
    assert "both rendered by `tutor config save`" in before.label


def test_a_site_without_config_can_not_be_rendered(checkout: Path) -> None:
    (checkout / "tutor" / "config.yml").unlink()
    commit(checkout)
    with pytest.raises(UserError, match=r"tutor/config.yml isn't there"):
        revision(checkout / "overlays" / "site", render=True, tutor=str(sites.tutor("22")))


def test_templates_that_the_base_does_not_have_are_not_rendered(checkout: Path, tmp_path: Path) -> None:
    overlay, canary = checkout / "overlays" / "site", tmp_path / "canary"
    tutor = tmp_path / "tutor"
    tutor.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    tutor.chmod(0o755)
    git(checkout, "branch", "trusted")
    (checkout / "tutor" / "config.yml").write_text("A: changed\n")
    for _ in ("changed", "committed"):
        with pytest.raises(UserError, match=r"the working tree isn't a part of trusted.*--allow-render"):
            revision(overlay, ref="trusted", render=True, tutor=str(tutor))
        commit(checkout)
    assert not canary.exists()
    with pytest.raises(UserError, match="`tutor config save` fails"):
        revision(overlay, ref="trusted", render=True, allow_render=True, tutor=str(tutor))
    assert canary.exists()


def test_a_list_of_programs_counts_from_the_base(checkout: Path, tmp_path: Path) -> None:
    overlay, canary = checkout / "overlays" / "site", tmp_path / "canary"
    program = overlay / "run.sh"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexec cat\n")
    program.chmod(0o755)
    git(checkout, "branch", "trusted")
    (overlay / "e.yaml").write_text(EXEC)
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(f"{kustomization.read_text()}generators: [e.yaml]\n")
    allowed = checkout / ALLOW_FILE
    allowed.write_text("# Ours.\noverlays/site/run.sh\n")
    commit(checkout)
    with pytest.raises(UserError, match=r"the build would run .*run\.sh"):
        revision(overlay, ref="trusted")
    assert not canary.exists()
    git(checkout, "branch", "--force", "trusted")
    revision(overlay, ref="trusted")
    assert canary.exists()


def test_a_directory_that_looks_like_a_repository_has_no_say(checkout: Path, tmp_path: Path) -> None:
    overlay, canary = checkout / "overlays" / "site", tmp_path / "canary"
    (overlay / "objects").mkdir()
    (overlay / "refs").mkdir()
    (overlay / "HEAD").write_text("ref: refs/heads/main\n")
    (overlay / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch {canary}\n"
    )
    with pytest.raises(UserError, match="can't be read as a Git checkout"):
        revision(overlay)
    assert not canary.exists()


def test_a_link_out_of_a_directory_of_manifests_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(MAP.format("secret"))
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "a.yaml").symlink_to("../secret.yaml")
    with pytest.raises(UserError, match="a link that leads out of"):
        read_both(str(manifests), str(manifests), newest)


def test_a_tutor_that_fails(checkout: Path) -> None:
    with pytest.raises(UserError, match="`tutor config save` fails"):
        revision(checkout / "overlays" / "site", render=True, tutor="false")


def test_a_config_that_git_ignores_comes_from_the_working_tree(checkout: Path) -> None:
    (checkout / ".gitignore").write_text("env/\n*.env\nconfig.yml\n")
    git(checkout, "rm", "--quiet", "--cached", "tutor/config.yml")
    commit(checkout)
    # It gets as far as to Tutor.
    with pytest.raises(UserError, match="`tutor config save` fails"):
        revision(checkout / "overlays" / "site", render=True, tutor="false")


def test_files_directories_and_overlays(checkout: Path, tmp_path: Path) -> None:
    built = tmp_path / "built.yaml"
    built.write_text(MAP.format("one"))
    manifests = tmp_path / "manifests" / "deep"
    manifests.mkdir(parents=True)
    (manifests / "two.yml").write_text(MAP.format("two"))
    (manifests / "three.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "three"}}')
    before, after = both(built, tmp_path / "manifests")
    assert (names(before), names(after)) == (["one"], ["three", "two"])
    before, _after = both(checkout / "overlays" / "site", built)
    assert names(before) == ["from-tutor", "own"]


def test_what_kubectl_prints_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(
        "apiVersion: v1\nkind: List\nitems:\n- " + MAP.format("one").replace("\n", "\n  ").rstrip() + "\n"
    )
    assert names(both(tmp_path / "list.yaml", tmp_path / "list.yaml")[0]) == ["one"]


def test_a_problem_of_both_sides_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        both(tmp_path / "none", tmp_path / "none")
    assert len(caught.value.problems) == 1


def test_what_is_not_there_or_no_build(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        both(tmp_path / "nothing", tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/nothing isn't there\n{tmp_path} holds neither a kustomization nor manifests"
    )


def test_an_object_that_is_there_twice(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text(MAP.format("one") + "---\n" + MAP.format("one"))
    with pytest.raises(UserError, match=r"ConfigMap one: .*twice.yaml: the input contains this object twice"):
        both(tmp_path / "twice.yaml", tmp_path / "twice.yaml")


def test_what_a_shell_gives_is_a_file(tmp_path: Path) -> None:
    pipe, file = tmp_path / "pipe", tmp_path / "file.yaml"
    os.mkfifo(pipe)
    # With a carriage return it has to be looked at twice, which a pipe doesn't let anybody do.
    text = f"{MAP.format('a')}---\r\n{MAP.format('b')}"
    file.write_text(text)
    with ThreadPoolExecutor(max_workers=1) as pool:
        written = pool.submit(pipe.write_text, text)
        before, after = both(pipe, file)
        written.result()
    assert names(before) == names(after) == ["a", "b"]
    nothing, _ = both(Path(os.devnull), file)
    assert names(nothing) == []


def test_nothing_of_a_list_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text("apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  metadata: {name: a}\n- b\n")
    with pytest.raises(UserError, match=r"list\.yaml: an item of a List is not an object"):
        both(file, file)
