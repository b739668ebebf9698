"""Go's modules as sources: download one, copy it where it can be changed, and build its programs.

Go checks what it downloads against its checksum database.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import go_toolchain
from installing import InstallError, make_once, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REMEDY = "Let Go reach a module proxy."


def go(*arguments: str | Path, directory: Path, environ: dict[str, str] | None = None) -> str:
    """Run Go in ``directory`` and return its stdout."""
    found = go_toolchain.find_go()
    return run([found, "-C", directory, *arguments], env={**go_toolchain.environment(found), **(environ or {})})


def source(module: str, version: str, scratch: Path) -> Path:
    """Return the directory of Go's cache with a module's files."""
    try:
        answer = json.loads(go("mod", "download", "-json", f"{module}@v{version}", directory=scratch))
    except InstallError as error:
        raise InstallError(f"{error}\n{REMEDY}") from error
    return Path(answer["Dir"])


def copied_source(module: str, version: str, scratch: Path) -> Path:
    """Return a copy of a module's files in ``scratch``, to be changed and built: there its replacements count."""
    copy = scratch / "source"
    shutil.copytree(source(module, version, scratch), copy, copy_function=shutil.copyfile)
    # Go keeps its cache read-only.
    for directory in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
    return copy


def put_on_loopback(copy: Path, listeners: Mapping[str, tuple[str, str]], program: str) -> None:
    """Change the listeners of a copy, each a file's text before and after, that take every address of the machine."""
    for name, (before, after) in listeners.items():
        text = (copy / name).read_text()
        if text.count(before) != 1:
            raise InstallError(f"{program}: {name} has no {before!r} any more: see where it listens now.")
        (copy / name).write_text(text.replace(before, after))


def install(part: str, version: str, directory: Path, stamped: str, build: Callable[[Path], None]) -> None:
    """Have ``build`` fill a part's directory below ``directory``, unless what is ``stamped`` so is there."""
    message = f"Building {part} {version} with Go, which takes minutes the first time ..."
    make_once(directory / part, stamped, message, build)
