"""The record of what `export` wrote into a directory, by which the next export tells its files from the user's.

`sha256sum --check .tutor-kustomizer-export` reads it, too. A file that holds a password has no digest in it: a digest
lets anybody try passwords.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from kustomizer.export.parts import File

Digests = Mapping[str, frozenset[str]]

RECORD = ".tutor-kustomizer-export"
"""The record's name in the export."""
_HEAD = "# The files that `tutor-kustomizer export` wrote here. It overwrites and removes no others.\n"
_LINE = re.compile(r"([0-9a-f]{64}|# no digest:)  (.+)")
_NO_DIGEST = "# no digest:"


def digest(data: bytes) -> str:
    """Return the digest of a file's content."""
    return hashlib.sha256(data).hexdigest()


def digests_of(files: Mapping[str, File]) -> Digests:
    """Return the digest of each file by name, none of a file that holds a password.

    The values of a Secret are left out: the user fills them in.
    """
    return {
        name: frozenset(() if file.is_secret else {digest(file.text.encode())})
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
