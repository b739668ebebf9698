"""Writes files whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from kustomizer.errors import UserError

PRIVATE = 0o600
"""The mode of a file that only its owner may read."""


def read_text(path: Path) -> str:
    """Return the text of the file ``path``. Raises UserError where it can't be read, or isn't UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8"
        raise UserError.of(f"{path} can't be read: {reason}") from None


@contextmanager
def locked(directory: Path, *, required: bool = False) -> Iterator[None]:
    """Hold the lock of ``directory``, so that others of us don't change its files at the same time.

    Where the directory can't be read, or its file system has no locks, nothing is held; with ``required`` OSError is
    raised.
    """
    handle = None
    try:
        with nullcontext() if required else suppress(OSError):
            handle = os.open(directory, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def make_directory(path: Path) -> None:
    """Make the directory ``path`` unless it is there. Raises UserError where it can't be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError.of(f"the directory {path} can't be made: {error.strerror}") from None


def write_file(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write ``text`` to ``path`` in one step, so that nobody ever sees half of it. Raises UserError where it can't.

    Without ``mode`` a file that is there keeps its own. A link still leads to its file. Special files, /dev/stdout or a
    pipe, are written to, not replaced.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="\n")
        else:
            _replace(Path(os.path.realpath(path)), text, mode)
    except OSError as error:
        raise UserError.of(f"{path} can't be written: {error.strerror}") from None


def _replace(path: Path, text: str, mode: int | None) -> None:
    if mode is None:
        mode = path.stat().st_mode & 0o7777 if path.exists() else new_mode()
    import tempfile  # noqa: PLC0415 - most commands write to stdout alone

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def new_mode(wanted: int = 0o666) -> int:
    """Return ``wanted`` without the bits that the umask takes away: the mode of a new file or directory."""
    umask = os.umask(0)
    os.umask(umask)
    return wanted & ~umask


def write_new_files(directory: Path, texts: Mapping[str, str], *, force: bool) -> list[Path]:
    """Write files into ``directory`` and return their paths; ``texts`` has the text of each by name.

    Raises UserError, and writes nothing, where a file is already there and ``force`` isn't set.
    """
    contents = {directory / name: text for name, text in texts.items()}
    present = [str(path) for path in contents if path.exists()]
    if present and not force:
        raise UserError.of(f"already there: {', '.join(present)}", remedy="Overwrite them with --force")
    make_directory(directory)
    for path, text in contents.items():
        write_file(path, text)
    return list(contents)
