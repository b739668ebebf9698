"""How Tutor's env/ tells of the split in it: which entry of its kustomization stands for one that is still missing.

The Tutor plugin has Tutor render, under ``resources:``, the name of a directory that never exists. So every build of a
fresh env/ fails, whoever runs it, until the split has been put in the place of that name (kustomizer/tutor_env).
"""

from __future__ import annotations

import re
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.kustomize.split_names import FILE, PLACE, PREFIX
from kustomizer.system.files import read_text

MISSING = f"{PLACE}/the-split-is-missing--run-"
"""The beginning of the entry in a fresh env/; the command that puts the split there follows."""

ENTRY = re.compile(rf"^([ \t]*-[ \t]+){re.escape(MISSING)}[\w-]+[ \t]*$", re.MULTILINE)
"""The entry of a fresh env/, with the beginning of its line."""
_SPLIT = re.compile(rf"^[ \t]*-[ \t]+{re.escape(PLACE)}/({PREFIX}[0-9a-f]+)[ \t]*$", re.MULTILINE)
SPLIT_ENTRIES = re.compile(rf"^[ \t]*-[ \t]+{re.escape(PLACE)}/{PREFIX}[0-9a-f]+(?:/patches)?[ \t]*\n", re.MULTILINE)
"""The lines by which env/ is built with a split."""


def missing_entry(command: str) -> str:
    """Return the entry of a fresh env/ that names ``command``, which writes the split."""
    return MISSING + command.replace(" ", "-")


def missing_command(words: str) -> str:
    """Return the command that a build names which failed since the split is missing; empty for any other failure."""
    found = re.search(rf"{re.escape(MISSING)}([\w-]+)", words)
    return found.group(1).replace("-", " ") if found else ""


def split_directory(env: Path) -> Path | None:
    """Return the directory of the split that ``env`` is built with, None where there is none."""
    found = _SPLIT.search(_text(env))
    return env / PLACE / found.group(1) if found else None


def is_missing(env: Path) -> bool:
    """Tell whether ``env`` is one whose split is still to be written."""
    return ENTRY.search(_text(env)) is not None


def _text(env: Path) -> str:
    try:
        return read_text(env / FILE)
    except UserError:
        return ""
