"""What the measurements share: where they write, what they start, and the overlays that they build."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import inputs
from benchmarks.measure import BenchError, Case, Rounds, interleave, run
from benchmarks.names import REPLAY
from benchmarks.table import Group, render_group
from tests import parts, sites

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ROOT = sites.ROOT
FUNCTION = ROOT / "generators" / "celery-workers"


class Bench(NamedTuple):
    """What all measurements share."""

    scratch: Path
    rounds: Rounds
    only: str = ""

    def wants(self, key: str) -> bool:
        """Tell whether the table ``key`` was asked for."""
        return self.only in {"", key}

    def environment(self, **more: str) -> dict[str, str]:
        """Return an environment that has nothing of the caller's Python, Tutor or kustomize."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.scratch), "LANG": "C.UTF-8", **more}

    def measure(self, key: str, title: str, cases: Sequence[Case | None], *, base: str, least: int = 0) -> Group:
        """Measure the cases that there are."""
        present = [case for case in cases if case is not None]
        rounds = self.rounds._replace(least=least) if least else self.rounds
        print(f"{title}: ", end="", file=sys.stderr)
        rows = interleave(present, self.scratch / "output", rounds, lambda text: print(text, file=sys.stderr))
        group = Group(key, title, rows, len(rows[0].samples), base)
        print(f"{render_group(group)}\n", flush=True)
        return group

    def optional(self, case: Case, *, mark: str = "") -> Case | None:
        """Return ``case`` if it works, and its output holds ``mark``: a part of the project may not be there."""
        try:
            run(case, self.scratch / "output")
        except BenchError as error:
            print(f"Left out: {error}", file=sys.stderr)
            return None
        return case if mark in (self.scratch / "output").read_text() else None

    def write(self, name: str, data: bytes) -> Path:
        """Return a file that holds ``data``."""
        file = self.scratch / name
        file.write_bytes(data)
        return file


def python(*args: str) -> list[str]:
    """Return a command of the interpreter that the function runs in, started as the function starts it."""
    found = re.search(r'exec "\$python" ((?:-[A-Za-z]+ )+)', FUNCTION.read_text())
    flags = [flag for flag in (found[1].split() if found else ["-I"]) if flag != "-c"]
    return [str(parts.present(ROOT / ".venv" / "bin" / "python")), *flags, *args]


def tool() -> list[str]:
    """Return the command `tutor-kustomizer`."""
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from kustomizer.start import run; run()"
    return [python()[0], "-I", "-c", code, str(ROOT)]


def our_command(kustomize: Path) -> list[str]:
    """Return the command `tutor-kustomizer build`."""
    return [*tool(), "build", "--kustomize", str(kustomize)]


def overlay(bench: Bench, env_dir: Path, config: str) -> Path:
    """Return a new directory with a kustomization over a site, and ``config`` as its transformer."""
    return inputs.overlay(Path(tempfile.mkdtemp(dir=bench.scratch)), env_dir, config)


def script(bench: Bench, name: str, command: str) -> Path:
    """Return a program that runs ``command``."""
    path = bench.write(name, f"#!/bin/sh\nexec {command}\n".encode())
    path.chmod(0o755)
    return path


def answering(bench: Bench, site: str, spec: dict[str, Any]) -> Path:
    """Return a program that answers kustomize as the function does, at no cost: what remains is kustomize's own."""
    answer = Path(tempfile.mkdtemp(dir=bench.scratch)) / "answer.yaml"
    stdin = bench.write(f"{answer.parent.name}.yaml", inputs.captured(site, spec))
    run(Case(REPLAY, [str(FUNCTION)], stdin, bench.environment()), answer)
    return script(bench, f"{answer.parent.name}.sh", f"cat {answer}")
