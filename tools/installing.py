"""What the installers in this directory share: one at a time, all or nothing, and errors without a traceback."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent


class InstallError(Exception):
    """Something that whoever runs the installer has to mend."""


@contextlib.contextmanager
def lock(target: Path) -> Iterator[None]:
    """Let one process at a time work on ``target``; the others wait."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, directory: Path | None = None) -> str:
    """Run ``command`` quietly and return its stdout; all it said becomes the error when it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=env, cwd=directory, check=True, capture_output=True, text=True)
    except OSError as error:
        raise InstallError(f"{words[0]} can't be run: {error}") from error
    except subprocess.CalledProcessError as error:
        said = f"{error.stdout}{error.stderr}".strip()
        raise InstallError(f"{shlex.join(words)} failed with exit status {error.returncode}:\n{said}") from error
    return done.stdout


def say(message: str) -> None:
    """Tell a person on stderr: stdout is for what a caller reads."""
    print(message, file=sys.stderr, flush=True)


def make_once(target: Path, stamped: str, message: str, build: Callable[[Path], None]) -> None:
    """Have ``build`` fill what becomes ``target``, unless what is ``stamped`` so is there; all or nothing."""
    with lock(target):
        stamp = target / ".stamp"
        if stamp.is_file() and stamp.read_text() == stamped:
            return
        say(message)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            fresh = Path(scratch, target.name)
            fresh.mkdir()
            build(fresh)
            (fresh / ".stamp").write_text(stamped)
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)


def install_pinned(program: str, version: str) -> None:
    """Install what requirements/<program>-<version>.txt pins into .tools/<program>/<version>, if need be."""
    directory = ROOT / ".tools" / program / version
    pins = ROOT / "requirements" / f"{program}-{version}.txt"
    # Written last: what was interrupted isn't taken for finished.
    stamp = directory / ".stamp"
    wanted = f"{sys.version}\n{pins.read_text()}"
    with lock(directory):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        say(f"Installing {program.capitalize()} {version} ...")
        shutil.rmtree(directory, ignore_errors=True)
        run([sys.executable, "-m", "venv", directory])
        run([directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--requirement", pins])
        stamp.write_text(wanted)


def install_asked(program: str, known: Sequence[str]) -> None:
    """Install the versions that the command line asks for, or --all of them."""
    parser = argparse.ArgumentParser(description=f"Install the real {program.capitalize()} that tests run.")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=", ".join(known))
    parser.add_argument("--all", action="store_true", help="every one of them")
    options = parser.parse_args()
    versions: list[str] = list(known) if options.all else options.versions
    if not versions:
        parser.error("name a version, or say --all")
    if unknown := [version for version in versions if version not in known]:
        parser.error(f"no such version: {', '.join(unknown)} (there are {', '.join(known)})")
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda version: install_pinned(program, version), versions))


def main_guard(main: Callable[[], None]) -> None:
    """Run ``main`` and turn what the user can mend into a message and exit status 1."""
    try:
        main()
    except InstallError as error:
        say(f"Error: {error}")
        sys.exit(1)
