"""Who names the copies' settings ConfigMaps makes no difference to a build, only to what outer layers can do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kustomizer.kustomize.build import build
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.stale_hashes import stale_config_maps
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.protocols import read_build
from tests import builds as b, sites

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds

BY_KUSTOMIZE = b.RECOMMENDED.replace("spec: {", "spec: {settings: {names: Kustomize}, ")
NAMED = ["cms-worker-high", "cms-worker-low", "lms-worker-high", "lms-worker-high-mem"]
# What an outer layer may do to all settings.
PATCH = """\
patches:
- target: {kind: ConfigMap, name: ".*-celery-settings.*"}
  patch: |
    - op: add
      path: /data/more.py
      value: more
"""


@pytest.mark.parametrize("site", sites.SITES)
def test_bytes_are_the_same(site: str, builds: Builds) -> None:
    env = sites.site(site)

    assert builds.through_exec(env).stdout == builds.through_exec(env, BY_KUSTOMIZE).stdout
    assert builds.through_legacy(env).stdout == builds.through_legacy(env, BY_KUSTOMIZE).stdout


def test_bytes_are_the_same_with_the_oldest_kustomize(builds: Builds) -> None:
    env, version = sites.site("22"), sites.OLDEST

    assert (
        builds.through_exec(env, version=version).stdout
        == builds.through_exec(env, BY_KUSTOMIZE, version=version).stdout
    )


def overlay(directory: Path, spec: str, outer: str) -> Path:
    """Make an overlay with the function, and a layer above it; return the latter."""
    inner = directory / "inner"
    inner.mkdir()
    env = os.path.relpath(sites.site("22").resolve(), inner)
    (inner / "kustomization.yaml").write_text(f"resources: [{env}]\ntransformers: [config.yaml]\n")
    (inner / "config.yaml").write_text(b.HEAD + b.EXEC + spec)
    layer = directory / "outer"
    layer.mkdir()
    (layer / "kustomization.yaml").write_text(f"resources: [../inner]\n{outer}")
    return layer


def kustomize() -> Kustomize:
    return Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=sites.NEWEST)


@pytest.mark.parametrize("outer", ["namePrefix: a-\n", "namespace: elsewhere\n", "labels: [{pairs: {team: a}}]\n"])
def test_bytes_are_the_same_below_another_layer(tmp_path: Path, outer: str) -> None:
    outputs = []
    for number, spec in enumerate((b.RECOMMENDED, BY_KUSTOMIZE)):
        directory = tmp_path / str(number)
        directory.mkdir()
        outputs.append(build(overlay(directory, spec, outer), kustomize()).data)

    assert outputs[0] == outputs[1]


def test_a_patch_that_rolls_no_pod_is_told(tmp_path: Path) -> None:
    built = build(overlay(tmp_path, b.RECOMMENDED, PATCH), kustomize())

    stale = [line for line in built.messages.splitlines() if "aren't restarted" in line]
    assert [line.split("-celery-settings-")[0] for line in stale] == [f"warning: ConfigMap {name}" for name in NAMED]
    assert "spec.settings.names: Kustomize" in stale[0]


def test_kustomize_names_what_an_outer_layer_has_patched(tmp_path: Path) -> None:
    built = build(overlay(tmp_path, BY_KUSTOMIZE, PATCH), kustomize())

    assert built.messages == built.notes
    patched = [item.name for item in b.documents(built.data) if "more.py" in (item.tree.get("data") or {})]
    text = built.text
    assert sorted(map(b.stem, patched)) == sorted(
        f"{name}-celery-settings" for name in (*NAMED, "cms-worker", "lms-worker")
    )
    # Its own definition, and the pod that mounts it.
    assert all(text.count(name) == 2 for name in patched)


def test_a_build_of_a_site_is_not_stale(builds: Builds) -> None:
    resources = read_build(builds.through_exec(sites.site("full")).stdout)

    assert sum(stem_of(item.name) != item.name for item in resources.of_kind("ConfigMap")) > len(NAMED)
    assert list(stale_config_maps(resources)) == []
