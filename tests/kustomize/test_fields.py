"""Which files and directories a kustomization names."""

from __future__ import annotations

from kustomizer.kustomize.fields import DIRECTORIES, named_paths


def test_every_list_of_directories_is_named() -> None:
    tree = {field: [f"a-{field}"] for field in DIRECTORIES}
    assert "generators" in tree
    assert list(named_paths(tree)) == [f"a-{field}" for field in DIRECTORIES]
