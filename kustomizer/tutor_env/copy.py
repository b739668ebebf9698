"""Copies what a kustomization is made of, so that it can be built with changes while env/ stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from kustomizer.kustomize.fields import named_paths
from kustomizer.kustomize.kustomization import read_kustomization


def named_in(env: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file that ``env`` is built from, by its path there; other directories are named as they are."""
    for entry in dict.fromkeys(named_paths(read_kustomization(env))):
        path = env / entry
        if path.is_file():
            yield entry, path
        elif path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    yield file.relative_to(env).as_posix(), file


def copy_files(files: Iterable[tuple[str, Path]], target: Path) -> None:
    """Copy what env/ is built from into ``target``, which has to lie beside it, so that ``../`` means the same."""
    for name, path in files:
        copy = target / name
        if not copy.resolve().is_relative_to(target.resolve()):
            # A directory outside of env/, which is found from the copy, too.
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
