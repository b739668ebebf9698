"""Measures the function alone, on what kustomize hands over: on real sites, and by the size of the input."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.measure import BenchError, Case, run
from benchmarks.names import BARE, GO_IDENTITY, GO_SAME, IMPORT_YAML, IMPORTS, OURS, OURS_FLOWER, PYYAML, READ_WRITE
from benchmarks.scripts import LIST_IMPORTS_CODE, PYYAML_CODE, READ_WRITE_CODE
from benchmarks.setting import FUNCTION, ROOT, python
from benchmarks.table import render_slopes

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from benchmarks.setting import Bench
    from benchmarks.table import Group

GO_DIR = ROOT / "benchmarks"
GO_BIN = ROOT / ".tools" / "bench"
GENERATED = {"queues-10": (10, 0), "queues-100": (100, 0), "queues-1000": (1000, 0), "foreign-10000": (6, 10_000)}
SIZES = (0, 1000, 2500, 5000, 10_000)


def build_go() -> bool:
    """Build the two Go functions where Go is there."""
    go = shutil.which("go")
    if go is None:
        print("Go isn't on PATH: its functions are left out", file=sys.stderr)
        return False
    GO_BIN.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-trimpath", "-o", f"{GO_BIN}/", "./..."]
    done = subprocess.run(command, cwd=GO_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"go build failed:\n{done.stderr}")
    return True


def function_alone(bench: Bench, site: str, *, go: bool) -> Group:
    """Measure the function on what kustomize hands over for ``site``."""
    env = bench.environment()
    data = inputs.captured(site, inputs.spec())
    stdin = bench.write(f"{site}.yaml", data)
    flower = bench.write(f"{site}-flower.yaml", inputs.captured(site, inputs.spec(flower=True)))
    cases = [
        Case(BARE, python("-c", "pass"), stdin, env),
        Case(IMPORTS, python("-c", imports(bench, flower)), stdin, env),
        # PyYAML is in site-packages.
        Case(IMPORT_YAML, [python()[0], "-I", "-c", "import yaml"], stdin, env),
        Case(READ_WRITE, python("-c", READ_WRITE_CODE), stdin, env),
        Case(PYYAML, [python()[0], "-I", "-c", PYYAML_CODE], stdin, env),
        Case(GO_IDENTITY, [str(GO_BIN / "identity")], stdin, env) if go else None,
        Case(GO_SAME, [str(GO_BIN / "samejob")], stdin, env) if go else None,
        Case(OURS, [str(FUNCTION)], stdin, env),
        bench.optional(Case(OURS_FLOWER, [str(FUNCTION)], flower, env), mark="mher/flower"),
    ]
    title = f"The function alone, {site} site: {_size(data)}"
    return bench.measure(f"function-{site}", title, cases, base=GO_IDENTITY if go else BARE)


def imports(bench: Bench, stdin: Path) -> str:
    """Return the statement that imports what the function imports for this input."""
    output = bench.scratch / "imports"
    run(Case("imports", python("-c", LIST_IMPORTS_CODE, str(ROOT)), stdin, bench.environment()), output)
    return f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(output.read_text().split())}"


def generated(bench: Bench, key: str, *, queues: int, foreign: int, go: bool) -> Group:
    """Measure the function on a plain site with more queues, or more resources of others."""
    env = bench.environment()
    data = inputs.with_foreign(inputs.captured("plain", inputs.spec(queues=queues)), foreign)
    stdin = bench.write(f"{key}.yaml", data)
    cases = [
        Case(READ_WRITE, python("-c", READ_WRITE_CODE), stdin, env),
        Case(GO_IDENTITY, [str(GO_BIN / "identity")], stdin, env) if go else None,
        Case(GO_SAME, [str(GO_BIN / "samejob")], stdin, env) if go else None,
        Case(OURS, [str(FUNCTION)], stdin, env),
    ]
    what = f"{foreign:,} foreign resources" if foreign else f"{queues:,} queues"
    title = f"Generated, {what}: {_size(data)}"
    return bench.measure(key, title, cases, base=GO_IDENTITY if go else READ_WRITE, least=3)


def linearity(bench: Bench, *, go: bool) -> tuple[str, dict[str, Any]]:
    """Measure the function's CPU time by the size of the input."""
    env = bench.environment()
    names = [READ_WRITE, OURS, *([GO_IDENTITY] if go else [])]
    commands = [python("-c", READ_WRITE_CODE), [str(FUNCTION)], [str(GO_BIN / "identity")]]
    plain = inputs.captured("plain", inputs.spec())
    sizes = []
    cases = []
    for count in SIZES:
        data = inputs.with_foreign(plain, count)
        stdin = bench.write(f"linear-{count}.yaml", data)
        sizes.append(len(data) / 1e6)
        cases += [Case(f"{name} {count}", command, stdin, env) for name, command in zip(names, commands, strict=False)]
    group = bench.measure("linearity", "CPU time by size", cases, base=f"{OURS} 0")
    columns = [[row.cpu for row in group.rows[position :: len(names)]] for position in range(len(names))]
    slopes = [statistics.linear_regression(sizes, column).slope for column in columns]
    points = list(zip(sizes, zip(*columns, strict=True), strict=True))
    heads = ["read and write", "the function", "Go, nothing"][: len(names)]
    text = render_slopes(points, heads, slopes)
    return text, {"names": names, "megabytes": sizes, "cpu_ms": columns, "slope_ms_per_mb": slopes}


def _size(data: bytes) -> str:
    return f"{len(data) / 1000:,.0f} KB, {inputs.item_count(data):,} items"
