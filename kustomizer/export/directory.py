"""Puts an export into its directory, all of it or nothing, and tells where the directory is no longer the export."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kustomizer.errors import Problem, UserError
from kustomizer.export.overlay import MADE_BY
from kustomizer.export.secrets import EXAMPLE
from kustomizer.system.files import new_mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kustomizer.export.parts import File

OWN_DIRECTORIES = ("after", "base", "patches", "resources", "secrets", "settings")
"""What lies in these is the export's; anything else in the directory is left as it is."""


def write_files(directory: Path, files: Mapping[str, File]) -> None:
    """Write ``files`` into ``directory``, each private from the moment it is there if it is to be."""
    for name, file in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(file.text)


def replace_directory(directory: Path, files: Mapping[str, File]) -> None:
    """Make ``directory`` hold ``files`` in one step. Raises UserError, and changes nothing, where it can't.

    What was filled in stays, and so does what isn't the export's.
    """
    directory = directory.resolve()
    refuse_foreign(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            write_files(new, files)
            _keep(directory, new)
            _exchange(new, directory)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise UserError(Problem(message=f"{directory} can't be written: {error.strerror}")) from None


def refuse_foreign(directory: Path) -> None:
    """Raise UserError where ``directory`` has files but isn't an export, or where nothing can be written there."""
    kustomization = directory / "kustomization.yaml"
    if directory.is_dir() and not os.access(directory, os.W_OK):
        # It would be replaced as a whole, and what was in it could neither be kept nor be deleted.
        raise UserError(Problem(message=f"{directory} can't be written: it is read-only"))
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        if kustomization.is_file() and kustomization.read_bytes().startswith(MADE_BY.encode()):
            return
        message = f"{directory} is there already, and `tutor-kustomizer export` didn't make it"
        raise UserError(Problem(message=message, remedy="Name another directory, or remove it"))


def _keep(old: Path, new: Path) -> None:
    """Copy what isn't the export's, and what was filled in, from ``old`` to ``new``."""
    if not old.exists():
        new.chmod(new_mode(0o777))
        return
    shutil.copymode(old, new)
    for path in old.iterdir():
        target = new / path.name
        if path.name in OWN_DIRECTORIES or target.exists():
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)
    for path in (old / "secrets").glob("*.env"):
        target = new / "secrets" / path.name
        # One without an example wasn't filled in by hand: it had no secret to keep.
        examples = (place / "secrets" / f"{path.name}{EXAMPLE}" for place in (old, new))
        if not target.exists() and all(example.exists() for example in examples):
            shutil.copy2(path, target, follow_symlinks=False)


def _exchange(new: Path, directory: Path) -> None:
    """Put ``new`` in the place of ``directory``, which is put back where that fails."""
    if not directory.exists():
        new.rename(directory)
        return
    old = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    try:
        directory.rename(old)
        try:
            new.rename(directory)
        except OSError:
            old.rename(directory)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def differences(directory: Path, files: Mapping[str, File]) -> Iterator[str]:
    """Yield a line for each file in ``directory`` that isn't as in ``files``."""
    for name, file in files.items():
        path = directory / name
        if not path.is_file():
            yield f"missing: {name}"
        elif path.read_bytes() != file.text.encode():
            yield f"differs: {name}"
    for place in OWN_DIRECTORIES:
        for path in sorted((directory / place).rglob("*")):
            name = path.relative_to(directory).as_posix()
            if path.is_file() and name not in files and not _is_filled_in(name):
                yield f"left over: {name}"


def _is_filled_in(name: str) -> bool:
    return name.startswith("secrets/") and name.endswith(".env")
