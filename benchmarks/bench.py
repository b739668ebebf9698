"""`make bench`: measures the function beside other ways to do the same, on this machine, in one run.

Times on a busy machine say little, and less on another one; what counts is how many times the time of its neighbour in
the table a row takes. So the commands of a table run in turn, round by round, and each ratio is the median of the
rounds' own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import commands, inputs
from benchmarks.builds import many_queues, start, whole_builds
from benchmarks.function_alone import GENERATED, build_go, function_alone, generated, linearity
from benchmarks.goals import goals, summary
from benchmarks.measure import BenchError, Rounds
from benchmarks.names import KUBECTL
from benchmarks.save import save_cases
from benchmarks.setting import FUNCTION, ROOT, Bench, tool
from benchmarks.table import Group, render_goals, render_group, write_block
from tests import sites

if TYPE_CHECKING:
    from typing import Any

RESULT = ROOT / "build" / "bench.json"
DOCUMENTS = (ROOT / "docs" / "performance.md", ROOT / "README.md")
PARTS = ("function", "builds", "generated", "save", "linearity", "commands")


def main() -> None:
    """Measure, print, and write build/bench.json."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the function beside its neighbours.")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the tables into docs/performance.md and README.md"
    )
    parser.add_argument("--only", default="", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=Rounds().seconds, help="for each table, about; default: 25")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            result = measure_all(Bench(Path(scratch).resolve(), Rounds(seconds=options.seconds), options.only))
    except (BenchError, FileNotFoundError, RuntimeError) as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    if not options.only:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    if options.write_docs:
        write_documents(result["blocks"])


def measure_all(bench: Bench) -> dict[str, Any]:
    """Measure what was asked for, printing each table as it is there, and return everything."""
    go = build_go()
    groups: dict[str, Group] = {}
    for site in inputs.SITES:
        if bench.wants("function"):
            groups[f"function-{site}"] = function_alone(bench, site, go=go)
    for site in inputs.SITES:
        if bench.wants("builds"):
            groups[f"builds-{site}"] = whole_builds(bench, site)
    if bench.wants("builds"):
        groups["builds-queues-300"] = many_queues(bench)
    for key, (queues, foreign) in GENERATED.items():
        if bench.wants("generated"):
            groups[key] = generated(bench, key, queues=queues, foreign=foreign, go=go)
    for site in inputs.SITES:
        if bench.wants("save"):
            cases = save_cases(bench.scratch, bench.environment(), site)
            groups[f"save-{site}"] = bench.measure(
                f"save-{site}", f"Saving env/, {site} site", cases, base=KUBECTL, least=15
            )
    text, lines = linearity(bench, go=go) if bench.wants("linearity") else ("", {})
    reached = goals(groups, lines.get("slope_ms_per_mb", ()))
    blocks = {key: render_group(group) for key, group in groups.items()}
    blocks |= {"linearity": text} if text else {}
    by_queues: list[commands.Measured] = []
    if bench.wants("commands"):
        print("Commands by queues: a few minutes ...", file=sys.stderr)
        by_queues = commands.measure(
            bench.scratch, bench.environment(), tool(), sites.kustomize(sites.NEWEST), FUNCTION
        )
        blocks["commands"] = commands.render(by_queues)
        groups["start"] = start(bench)
        blocks["start"] = render_group(groups["start"])
    if not bench.only:
        blocks |= {"goals": render_goals(reached), "summary": summary(groups), "machine": machine()}
    print("\n\n".join(part for part in (text, blocks.get("commands"), render_goals(reached), machine()) if part))
    return {
        "machine": machine(),
        "goals": [goal._asdict() for goal in reached],
        "groups": {key: group.as_json() for key, group in groups.items()},
        "linearity": lines,
        "commands": {row.name: row.as_json() for row in by_queues},
        "blocks": blocks,
    }


def machine() -> str:
    """Return what the numbers were measured on."""
    go = shutil.which("go")
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    found = re.search(r"go(\d\S+)", version)
    parts = [
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"Go {found[1]}" if found else "no Go",
        f"kustomize {sites.NEWEST}",
        "Tutor 22",
    ]
    return f"{', '.join(parts)}\nLoad when it ended: {os.getloadavg()[0]:.1f}"


def write_documents(blocks: dict[str, str]) -> None:
    """Put what was measured into the documents that have a place for it."""
    for file in DOCUMENTS:
        if file.is_file():
            text = file.read_text()
            for key, block in blocks.items():
                text = write_block(text, key, block)
            file.write_text(text)


if __name__ == "__main__":
    main()
