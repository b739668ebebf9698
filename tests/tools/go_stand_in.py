"""A shell script in place of Go, and modules for it to find: what a script of tools/ asks of it, and makes of that."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from versions import GO as GO_VERSIONS

from tests.tools.checkout import NO_INDEX, copied_tools

if TYPE_CHECKING:
    from pathlib import Path

# `go -C DIRECTORY mod download -json MODULE@VERSION`, `… mod tidy` and `… build FLAGS -o TARGET COMMAND`.
GO = (
    f"""#!/bin/sh
test "$1" != env || {{ echo go{GO_VERSIONS.oldest}; exit; }}
"""
    """\
echo "$@" >>"$CALLS"
test -z "$GO_FAILS" || { echo "go: no such host" >&2; exit 1; }
case "$3 $4" in
"mod download") echo "{\\"Dir\\": \\"$MODULES/$(echo "$6" | tr /@ __)\\"}" ;;
"build "*) case "$6" in */) target="$6$(basename "$7")" ;; *) target="$6" ;; esac; echo "$7" >"$target" ;;
esac
"""
)


class Go(NamedTuple):
    """A Go that writes down how it was called, and modules for it to find."""

    directory: Path
    script: str
    """What of tools/ is run."""

    @property
    def calls(self) -> list[str]:
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def write(self, module: str, files: dict[str, str]) -> None:
        root = self.directory / "modules" / module.replace("/", "_").replace("@", "_")
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)

    def get(self, *parts: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": f"{self.directory / 'bin'}:/usr/bin:/bin",
            "CALLS": str(self.directory / "calls"),
            "MODULES": str(self.directory / "modules"),
            **NO_INDEX,
            **more,
        }
        command = [
            sys.executable,
            str(copied_tools(self.directory) / self.script),
            f"--dir={self.target}",
            *parts,
        ]
        return subprocess.run(command, env=env, check=False, capture_output=True, text=True)

    @property
    def target(self) -> Path:
        """Where the script puts what it builds."""
        return self.directory / "built"


def go_stand_in(directory: Path, script: str) -> Go:
    """Return one on the PATH of ``script``."""
    program = directory / "bin" / "go"
    program.parent.mkdir()
    program.write_text(GO)
    program.chmod(0o755)
    return Go(directory, script)
