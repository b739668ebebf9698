"""Reads kustomizations: what they list, which files and directories they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.fields import DIRECTORIES, NAMES, entries, is_kustomization, named_paths
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import plain_value
from kustomizer.system.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_DEEPEST = 9


def kustomization_file(directory: Path) -> Path:
    """Return the kustomization in ``directory``. Raises UserError where there is none."""
    for name in NAMES:
        if (directory / name).is_file():
            return directory / name
    raise UserError(Problem(message=f"{directory} holds no kustomization.yaml"))


def read_kustomization(directory: Path) -> dict[str, Any]:
    """Return the kustomization in ``directory`` as plain values."""
    path = kustomization_file(directory)
    text = read_text(path)
    try:
        tree = plain_value(full_reader.read(text))
    except UserError as error:
        raise error.within(path) from None
    if not isinstance(tree, dict):
        raise UserError(Problem(message=f"{path} is not a kustomization"))
    return tree


def named_directories(directory: Path, tree: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the directories that the kustomization ``tree`` in ``directory`` names."""
    for entry in entries(tree, *DIRECTORIES):
        if "\n" not in entry and (directory / entry).is_dir():
            yield (directory / entry).resolve()


def built_from(directory: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield ``directory`` and each directory that it is built from."""
    yield directory
    if directory not in above and is_kustomization(directory):
        for below in named_directories(directory, read_kustomization(directory)):
            yield from built_from(below, above | {directory})


def named_files(directory: Path, tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that the kustomization ``tree`` in ``directory`` names; kustomize wants them all below it."""
    for entry in named_paths(tree, generators=("configMapGenerator",)):
        if (directory / entry).is_file():
            yield entry


def objects(directory: Path, entry: str, depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield the objects of an entry: a file, objects in line, or a directory that lists such."""
    if "\n" in entry:
        yield from full_reader.read_all(entry)
    elif (directory / entry).is_file():
        yield from _documents(directory / entry)
    elif depth and is_kustomization(directory / entry):
        for each in entries(read_kustomization(directory / entry), "resources"):
            yield from objects(directory / entry, each, depth - 1)


def _documents(path: Path) -> list[Any]:
    text = read_text(path)
    try:
        return full_reader.read_all(text)
    except UserError as error:
        raise error.within(path) from None
