"""Reads kustomizations: what they list, which files and directories they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kustomizer.errors import UserError
from kustomizer.kustomize.fields import DIRECTORIES, NAMES, entries, is_kustomization, named_paths
from kustomizer.manifests.tree import list_at, lookup, plain_value
from kustomizer.system.files import read_text


def kustomization_file(directory: Path) -> Path:
    """Return the kustomization in ``directory``. Raises UserError where there is none."""
    for name in NAMES:
        if (directory / name).is_file():
            return directory / name
    raise UserError.of(f"{directory} holds no kustomization.yaml")


def read_kustomization(directory: Path) -> dict[str, Any]:
    """Return the kustomization in ``directory`` as plain values."""
    path = kustomization_file(directory)
    text = read_text(path)
    from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` is a tenth of a short command's time

    try:
        tree = plain_value(full_reader.read(text))
    except UserError as error:
        raise error.within(path) from None
    if not isinstance(tree, dict):
        raise UserError.of(f"{path} is not a kustomization")
    return tree


def kustomization_in(directory: Path) -> dict[str, Any]:
    """Return the kustomization in ``directory``, an empty one where there is none."""
    return read_kustomization(directory) if is_kustomization(directory) else {}


def listed_paths(directory: Path, tree: Mapping[str, Any], *fields: str) -> Iterator[Path]:
    """Yield the files and directories that the kustomization ``tree`` in ``directory`` lists in ``fields``.

    An entry with a line break is an object. What isn't there is a URL, or kustomize's to report.
    """
    for entry in entries(tree, *fields):
        if "\n" not in entry and (directory / entry).exists():
            yield directory / entry


def named_directories(directory: Path, tree: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the directories that the kustomization ``tree`` in ``directory`` names."""
    return (path.resolve() for path in listed_paths(directory, tree, *DIRECTORIES) if path.is_dir())


def built_from(directory: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield ``directory`` and each directory that it is built from."""
    yield directory
    if directory not in above:
        for below in named_directories(directory, kustomization_in(directory)):
            yield from built_from(below, above | {directory})


def resource_files(directory: Path, *, patches: bool = False, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files that hold the resources of ``directory``, those of the directories that it lists first.

    With ``patches`` the files that change them follow.
    """
    if directory.resolve() in above:
        return
    tree = kustomization_in(directory)
    for path in listed_paths(directory, tree, "resources"):
        if path.is_dir():
            yield from resource_files(path, patches=patches, above=above | {directory.resolve()})
        else:
            yield path
    if patches:
        yield from patch_files(directory, tree)


def patch_files(directory: Path, tree: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the files with patches that the kustomization ``tree`` in ``directory`` lists."""
    paths = [lookup(entry, "path") for entry in list_at(tree, "patches")]
    yield from listed_paths(directory, {"patches": [path for path in paths if path]}, "patches")
    yield from listed_paths(directory, tree, "patchesStrategicMerge")


def named_files(directory: Path, tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that the kustomization ``tree`` in ``directory`` names; kustomize wants them all below it."""
    for entry in named_paths(tree, generators=("configMapGenerator",)):
        if (directory / entry).is_file():
            yield entry


def objects(directory: Path, entry: str) -> Iterator[Any]:
    """Yield the objects of an entry: a file, objects in line, or a directory that lists such."""
    if "\n" in entry:
        from kustomizer.manifests import full_reader  # noqa: PLC0415 - see above

        yield from full_reader.read_all(entry)
    elif (directory / entry).is_file():
        yield from documents(directory / entry)
    else:
        for path in resource_files(directory / entry):
            yield from documents(path)


def documents(path: Path) -> list[Any]:
    """Return the trees of a file's documents. Raises UserError, which names the file, where it isn't YAML."""
    text = read_text(path)
    from kustomizer.manifests import full_reader  # noqa: PLC0415 - see above

    try:
        return full_reader.read_all(text)
    except UserError as error:
        raise error.within(path) from None
