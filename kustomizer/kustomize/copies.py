"""Other copies of our function than this package's, which an overlay names by the path of a file."""

from __future__ import annotations

import os
import sys

from kustomizer import DIRECTORY, __version__
from kustomizer.kustomize.programs import IN_REPOSITORY, OWN_COMMAND
from kustomizer.system.processes import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kustomizer.kustomize.examination import Examined, Listed

_VERSION = b"__version__ = "


def other_copies(examined: Examined) -> dict[Listed, str]:
    """Return the lists that name another copy of the function than this package's, each with that file's path."""
    root = os.path.dirname(os.path.abspath(DIRECTORY))  # noqa: PTH100, PTH120 - pathlib costs 5 ms to import
    paths = [f"{root}/{IN_REPOSITORY}", f"{os.path.dirname(sys.executable)}/{OWN_COMMAND}"]  # noqa: PTH120
    real_paths = {os.path.realpath(path) for path in paths if os.path.exists(path)}  # noqa: PTH110
    copies = {}
    for listed, name in examined.paths.items():
        path = os.path.join(listed.directory, name)  # noqa: PTH118
        # One that is a link would look for `readlink`, which a build isn't given.
        if os.path.realpath(path) not in real_paths or os.path.islink(path):  # noqa: PTH114
            copies[listed] = os.path.realpath(path)
    return copies


def version_notes(copies: Mapping[Listed, str]) -> Iterator[str]:
    """Yield a line for each copy that isn't of this version."""
    for path in sorted(set(copies.values())):
        version = _version(path)
        if version != __version__:
            which = f"version {version}" if version else "a version that isn't known"
            yield f"warning: {os.path.relpath(path)} is {which}; what ran is this command's own function, {__version__}"


def _version(path: str) -> str:
    """Return the version of the package that a function's file belongs to, nothing where it isn't known."""
    try:
        lines = read_file(f"{os.path.dirname(os.path.dirname(path))}/kustomizer/__init__.py").split(b"\n")  # noqa: PTH120
    except OSError:
        return ""
    versions = [line.removeprefix(_VERSION).strip(b"\"' ") for line in lines if line.startswith(_VERSION)]
    return ascii(versions[0].decode(errors="replace"))[1:-1] if versions else ""
