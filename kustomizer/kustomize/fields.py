"""Reads which files and directories the fields of a kustomization name.

Imports next to nothing, unlike :mod:`kustomizer.kustomize.kustomization`.
"""

from __future__ import annotations

from kustomizer.manifests.tree import list_at, lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
"""API version and kind of a kustomization."""
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The file names of a kustomization, in kustomize's order."""
BUILT = ("resources", "components", "bases")
"""Fields that list what a kustomization is built from."""
EXTENSIONS = ("generators", "transformers", "validators")
"""Fields that list extensions: objects for each of which kustomize runs code, its own or another program's."""
DIRECTORIES = (*BUILT, *EXTENSIONS)
"""Fields whose entries may be directories."""

GENERATORS = ("configMapGenerator", "secretGenerator")
"""Fields whose entries kustomize makes an object of, with a hash behind the name."""

_FILES = ("configurations", "crds", "patchesStrategicMerge")
_WITH_PATH = ("patches", "patchesJson6902", "replacements")


def is_kustomization(directory: Path) -> bool:
    """Tell whether kustomize can build ``directory``."""
    return any((directory / name).is_file() for name in NAMES)


def entries(tree: Mapping[str, Any], *fields: str) -> list[str]:
    """Return what a kustomization lists in these fields. What is no list is kustomize's to refuse."""
    return [str(entry) for field in fields for entry in list_at(tree, field)]


def named_paths(tree: Mapping[str, Any], *, generators: tuple[str, ...] = GENERATORS) -> Iterator[str]:
    """Yield what a kustomization names that may be a file or a directory, whether it is there or not."""
    named: list[Any] = [*entries(tree, *DIRECTORIES, *_FILES), lookup(tree, "openapi", "path")]
    named += [lookup(entry, "path") for field in _WITH_PATH for entry in list_at(tree, field)]
    for generator in (entry for field in generators for entry in list_at(tree, field)):
        named += [*entries(generator, "envs"), lookup(generator, "env")]
        named += [entry.rpartition("=")[2] for entry in entries(generator, "files")]
    for entry in named:
        if isinstance(entry, str) and entry and "\n" not in entry:
            yield entry
