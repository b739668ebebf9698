"""Builds with our own function where an overlay names another copy of it by the path of a file.

A branch could have changed that file. So kustomize gets a copy of the kustomizations that lead there. In it the
extensions are as kustomize itself made them, with the function's name in the place of its path. All else is linked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from kustomizer.kustomize.examination import Examined, Listed, extension_path
from kustomizer.kustomize.fields import DIRECTORIES, EXTENSIONS, NAMES
from kustomizer.kustomize.programs import FUNCTIONS, OWN_COMMAND, program_of
from kustomizer.manifests import full_reader
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.writer import emit
from kustomizer.system.processes import read_file


def copy_with_own(
    examined: Examined, copies: Iterable[Listed], mirror: str, ask: Callable[[Sequence[str]], str]
) -> str:
    """Make the copy in ``mirror``, a new directory that mirrors ``/``. Return the path of the overlay's copy."""
    copy = _Copy(examined, os.path.realpath(mirror))
    for listed in copies:
        copy.replace_extensions(listed, ask)
    copy.make()
    return f"{copy.mirror}{examined.overlay}"


class _Copy:
    def __init__(self, examined: Examined, mirror: str) -> None:
        self.mirror = mirror
        self.trees = {directory: dict(trees[0]) for directory, trees in examined.trees.items() if trees}
        self.copied: set[str] = set()
        """Directories that are copied; others are linked."""

    def replace_extensions(self, listed: Listed, ask: Callable[[Sequence[str]], str]) -> None:
        """Have a list name one file, with its extensions as kustomize makes them, and our function by its name."""
        tree = self.trees[listed.directory]
        paths = [(entry, extension_path(entry, listed.directory)) for entry in tree[listed.field]]
        # kustomize takes the objects in the list itself first.
        extensions = [entry for entry, path in paths if not path]
        extensions += [path if os.path.isdir(path) else read_file(path).decode() for _, path in paths if path]  # noqa: PTH112
        name = f".{OWN_COMMAND}-{listed.field}.yaml"
        self._write(f"{listed.directory}/{name}", _with_own_name(ask(extensions)).encode())
        tree[listed.field] = [name]
        self.copied.add(listed.directory)

    def make(self) -> None:
        while more := set(filter(self._leads, self.trees.keys() - self.copied)):
            self.copied |= more
        for directory in sorted(self.copied):
            name = next(name for name in NAMES if os.path.lexists(f"{directory}/{name}"))
            self._write(f"{directory}/{name}", emit(self.trees[directory]).encode())
            for file in self._files(directory):
                self._write(file, read_file(file))
        for directory in sorted(self.copied):
            for path, real in self._below(directory):
                link = f"{self.mirror}{path}"
                if not os.path.lexists(link):
                    os.makedirs(os.path.dirname(link), exist_ok=True)  # noqa: PTH103, PTH120
                    os.symlink(f"{self.mirror}{real}" if real in self.copied else real, link)  # noqa: PTH211

    def _leads(self, directory: str) -> bool:
        """Tell whether ``directory`` leads to one that is copied, or lies around what is copied."""
        within = f"{directory}/"
        return any(real in self.copied for _, real in self._below(directory)) or any(
            path.startswith(within) for copied in self.copied for path in (copied, *self._files(copied))
        )

    def _below(self, directory: str) -> Iterator[tuple[str, str]]:
        """Yield the path and the real path of each directory that a kustomization names."""
        for field in DIRECTORIES:
            for entry in self.trees[directory].get(field) or ():
                place = os.path.normpath(f"{directory}/{entry}")
                if os.path.isdir(place):  # noqa: PTH112
                    yield place, os.path.realpath(place)

    def _files(self, directory: str) -> Iterator[str]:
        """Yield the files below ``directory`` that its kustomization, or an extension that it lists, may name."""
        texts = list(_texts(self.trees[directory]))
        for field in EXTENSIONS:
            for entry in self.trees[directory].get(field) or ():
                for objects in self._extensions(entry, directory):
                    texts += [text for item in full_reader.read_all(objects) for text in _texts(item)]
        for text in dict.fromkeys(texts):
            file = os.path.normpath(f"{directory}/{text}")
            if "\0" not in text and os.path.isfile(file) and os.path.realpath(file).startswith(f"{directory}/"):  # noqa: PTH113
                yield file

    def _extensions(self, entry: str, directory: str) -> Iterator[str]:
        """Yield the texts of the objects that an entry of a list of extensions names, itself or by files."""
        path = extension_path(entry, directory)
        mirrored = f"{self.mirror}{directory}/{entry}"
        if not path:
            yield str(entry)
        elif os.path.isdir(path):  # noqa: PTH112
            for below in self.trees.get(path, {}).get("resources") or ():
                yield from self._extensions(below, path)
        elif os.path.isfile(mirrored) or os.path.isfile(path):  # noqa: PTH113
            yield read_file(mirrored if os.path.isfile(mirrored) else path).decode()  # noqa: PTH113

    def _write(self, path: str, data: bytes) -> None:
        place = f"{self.mirror}{path}"
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        with open(place, "xb") as file:  # noqa: PTH123
            file.write(data)


def _texts(node: Any) -> Iterator[str]:
    """Yield each text of a tree that may be a path; a generator names a file as KEY=PATH."""
    if type(node) is dict:
        for value in node.values():
            yield from _texts(value)
    elif type(node) is list:
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        yield from (node, node.rpartition("=")[2])


def _with_own_name(objects: str) -> str:
    """Return ``objects`` with our function by its name, where they name it by a path."""
    trees = [item.tree for item in read_build(objects)]
    for tree in trees:
        program = program_of(tree)
        if program is not None and program.is_own and program.is_path:
            for key in FUNCTIONS:
                tree["metadata"]["annotations"].pop(key, None)
            tree["metadata"]["annotations"][FUNCTIONS[0]] = f"exec:\n  path: {OWN_COMMAND}\n"
    return "---\n".join(map(emit, trees))
