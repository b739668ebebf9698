"""Writes an export into its directory, and finds the files of the directory that aren't as in the export.

An existing export is changed file by file: each is replaced in one step, so that at any time all files are there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.export.overlay import MADE_BY
from kustomizer.export.parts import File, write_files
from kustomizer.export.secrets import EXAMPLE, ignore_file
from kustomizer.system.files import new_mode, write_file

Digests = Mapping[str, frozenset[str]]

RECORD = ".tutor-kustomizer-export"
"""The record, in an export, of what was written there, by which the next one tells its files from the user's.

`sha256sum --check .tutor-kustomizer-export` reads it, too. A file that holds a password has no digest in it: a digest
lets anybody try passwords.
"""
_HEAD = "# The files that `tutor-kustomizer export` wrote here. It overwrites and removes no others.\n"
_LINE = re.compile(r"([0-9a-f]{64}|# no digest:)  (.+)")
_NO_DIGEST = "# no digest:"


def write_export(directory: Path, files: Mapping[str, File], *, force: bool = False) -> list[str]:
    """Write an export into ``directory``, and return the files that were edited there and kept.

    Files of the user's stay. Without ``force`` so do edited files of an earlier export. Raises UserError where the
    directory isn't an export, or can't be written.
    """
    directory = directory.resolve()
    refuse_foreign(directory)
    try:
        if directory.is_dir() and any(directory.iterdir()):
            return _update(directory, with_ignored(directory, files), force=force)
        _create(directory, files)
    except OSError as error:
        raise UserError.of(f"{directory} can't be written: {error.strerror}") from None
    return []


def refuse_foreign(directory: Path) -> None:
    """Raise UserError where ``directory`` has files but isn't an export, or is read-only."""
    kustomization = directory / "kustomization.yaml"
    if directory.is_dir() and not os.access(directory, os.W_OK):
        raise UserError.of(f"{directory} can't be written: it is read-only")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        if (directory / RECORD).is_file():
            return
        if kustomization.is_file() and kustomization.read_bytes().startswith(MADE_BY.encode()):
            return
        message = f"{directory} is there already, and `tutor-kustomizer export` didn't make it"
        raise UserError.of(message, remedy="Name another directory, or remove it")


def _create(directory: Path, files: Mapping[str, File]) -> None:
    """Write a new export in one step."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    try:
        write_files(temporary, {**files, RECORD: File(text=record_text(digests_of(files)))})
        temporary.chmod(new_mode(0o777))
        temporary.rename(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _update(directory: Path, files: Mapping[str, File], *, force: bool) -> list[str]:
    """Replace the files of an earlier export, and return those that were edited and kept."""
    digests = read_digests(directory)
    stale = [name for name in digests if name not in files and (directory / name).is_file()]
    edited = {name for name in (*files, *stale) if _is_edited(directory, name, files.get(name), digests)}
    untouched = set() if force else edited
    new = digests_of({name: file for name, file in files.items() if name not in untouched})
    # An interrupted export leaves old and new files: the next one has to know both.
    write_file(directory / RECORD, record_text(digests, new))
    for name, file in files.items():
        path = directory / name
        if name not in untouched and _content(path) != file.text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, file.text, mode=new_mode(file.mode))
    for name in stale:
        if name not in untouched:
            _remove(directory, name)
    write_file(directory / RECORD, record_text(new, {name: digests[name] for name in untouched if name in digests}))
    return sorted(untouched)


def _is_edited(directory: Path, name: str, file: File | None, known: Digests) -> bool:
    content = _content(directory / name)
    if content is None or (file is not None and content == file.text.encode()):
        return False
    return hashlib.sha256(content).hexdigest() not in known.get(name, ())


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _remove(directory: Path, name: str) -> None:
    """Remove a file, and the directories that it leaves empty."""
    path = directory / name
    path.unlink()
    for parent in path.relative_to(directory).parents[:-1]:
        if any((directory / parent).iterdir()):
            return
        (directory / parent).rmdir()


def with_ignored(directory: Path, files: Mapping[str, File]) -> Mapping[str, File]:
    """Return ``files`` with a .gitignore that also covers filled-in secrets which the export doesn't have any more."""
    private = {name.removesuffix(EXAMPLE) for name in files if name.endswith(EXAMPLE)}
    public = {name for name, digests in read_digests(directory).items() if digests} | files.keys() - private
    present = {path.relative_to(directory).as_posix() for path in (directory / "secrets").glob("*.env")}
    if present - public <= private:
        return files
    return {**files, ".gitignore": File(text=ignore_file(sorted(private | (present - public))))}


def differences(directory: Path, files: Mapping[str, File]) -> Iterator[str]:
    """Yield a line for each file of the export in ``directory`` that isn't as in ``files``."""
    files = with_ignored(directory, files)
    for name, file in files.items():
        content = _content(directory / name)
        if content is None:
            yield f"missing: {name}"
        elif content != file.text.encode():
            yield f"differs: {name}"
    for name in sorted(read_digests(directory)):
        if name not in files and (directory / name).is_file():
            yield f"left over: {name}"


def digests_of(files: Mapping[str, File]) -> Digests:
    """Return the digest of each file by name, none of a file that holds a password.

    The values of a Secret are left out: the user fills them in.
    """
    return {
        name: frozenset(() if file.is_secret else {hashlib.sha256(file.text.encode()).hexdigest()})
        for name, file in files.items()
        if not file.is_private
    }


def read_digests(directory: Path) -> Digests:
    """Return the digests of what was written into ``directory`` by name; several where an export was interrupted."""
    path = directory / RECORD
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    digests: dict[str, set[str]] = {}
    for line in filter(None, map(_LINE.fullmatch, text.splitlines())):
        digests.setdefault(line[2], set()).add(line[1])
    return {name: frozenset(values - {_NO_DIGEST}) for name, values in digests.items()}


def record_text(*records: Digests) -> str:
    """Return the text of a record that holds all of ``records``."""
    lines = {(name, value) for record in records for name, values in record.items() for value in values or {_NO_DIGEST}}
    return _HEAD + "".join(f"{value}  {name}\n" for name, value in sorted(lines))
