"""Wheels of what is installed here, made anew from the files, so that installers find them without a network."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


def repack(name: str, directory: Path) -> Path:
    """Put the wheel of an installed distribution into ``directory`` and return it."""
    found = distribution(name)
    files = _files(found)
    info = next(path.partition("/")[0] for path in files if path.endswith(".dist-info/WHEEL"))
    tag = next(line for line in files[f"{info}/WHEEL"].decode().splitlines() if line.startswith("Tag: "))
    wheel = directory / f"{info.removesuffix('.dist-info')}-{tag.removeprefix('Tag: ')}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", "".join(_record(path, data) for path, data in files.items()))
    return wheel


def _files(found: Distribution) -> dict[str, bytes]:
    """Return what the wheel had: neither what was installed outside, nor what the installer wrote down."""
    own = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}
    files = {
        path.as_posix(): found.locate_file(path)
        for path in found.files or ()
        if ".." not in path.parts and "__pycache__" not in path.parts and path.name not in own
    }
    return {path: Path(str(where)).read_bytes() for path, where in files.items()}


def _record(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def with_requirements(names: Iterable[str]) -> set[str]:
    """Return the names of installed distributions and of all that they require here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = map(Requirement, distribution(name).requires or ())
            waiting += [each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
    return found
