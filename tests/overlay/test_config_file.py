"""The file of a configuration: which object in it is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer.errors import UserError
from kustomizer.overlay.config_file import config_file, find_config
from tests.builds import HEAD

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = "apiVersion: workers.example.com/v1\nkind: CeleryWorkers\nmetadata: {name: theirs}\nspec: {workers: 3}\n"
OURS = f"{HEAD}spec:\n  workers:\n    lms: {{high: {{}}}}\n"


def test_another_groups_object_is_not_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(f"{OTHERS}---\n{OURS}")
    config = config_file(file)
    assert config.load().services() == ["lms"]

    changed = config.set(("spec", "workers", "lms", "high", "concurrency"), 2)

    assert changed.text == f"{OTHERS}---\n{OURS.replace('high: {}', 'high: {concurrency: 2}')}"


def test_an_overlay_with_another_groups_object_alone_has_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text(OTHERS)
    (tmp_path / "kustomization.yaml").write_text("resources: [theirs.yaml]\n")
    with pytest.raises(UserError, match="has no configuration of kind CeleryWorkers"):
        find_config(tmp_path)


def test_a_patch_with_a_target_needs_no_api_version(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS)
    patch = tmp_path / "patch.yaml"
    patch.write_text("kind: CeleryWorkers\nmetadata: {name: celery-workers}\nspec: {workers: {cms: {low: {}}}}\n")
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [ours.yaml]\npatches: [{path: patch.yaml, target: {kind: CeleryWorkers}}]\n"
    )
    assert config_file(patch).load().services() == ["lms", "cms"]
