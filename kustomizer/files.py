"""Writes files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kustomizer.errors import Problem, UserError


def write_file(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put ``text`` into ``path`` in one step, so that nobody ever sees half of it. Raises UserError where it can't."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(Problem(message=f"{path} can't be written: {error.strerror}")) from None
