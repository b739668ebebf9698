"""`make control-plane`: carries the scenarios out on a real control plane, and writes down what came of them.

    python -m tests.control_plane.run --scenario killed --site ours -o results.json

Each scenario has a namespace and a Redis of its own for each site; several run at once on one control plane.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
import versions

from tests import sites
from tests.control_plane import emissions
from tests.control_plane.cluster import running_cluster
from tests.control_plane.kubelet import Kubelet
from tests.control_plane.report import RESULTS, read_results, write_documents
from tests.control_plane.run_site import Place, RunningSite
from tests.control_plane.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.control_plane.scenario import Scenario

TIME_FACTOR = 10
AT_ONCE = 6
"""Runs side by side: more of them would measure this machine's two cores."""

Run = dict[str, Any]


def chosen(scenarios: Iterable[str], only: Iterable[str]) -> list[tuple[Scenario, str]]:
    """Return what to run: each scenario with each of its sites, those that take longest first."""
    keys, names = set(scenarios), set(only)
    pairs = [
        (scenario, site)
        for scenario in SCENARIOS
        for site in scenario.sites
        if (not keys or scenario.key in keys) and (not names or site in names)
    ]
    return sorted(pairs, key=lambda pair: -pair[0].limit)


def run_all(
    pairs: Sequence[tuple[Scenario, str]], directory: Path, *, at_once: int, on_result: Callable[[Run], None]
) -> list[str]:
    """Carry all of them out, hand over what came of each as it is there, and return which failed."""
    failures: list[str] = []
    lock = threading.Lock()
    # The other tasks of edx_platform want it when they are imported; they aren't sent here.
    environ = {"TASK_DIRECTORY": str(directory)}
    with (
        running_cluster(directory / "cluster", time_factor=TIME_FACTOR) as cluster,
        Kubelet(cluster, directory=directory / "pods", environ=environ, time_factor=TIME_FACTOR) as kubelet,
        ThreadPoolExecutor(at_once) as pool,
    ):
        place = Place(cluster=cluster, kubelet=kubelet, directory=directory, factor=TIME_FACTOR)

        def carry_out(number: int, scenario: Scenario, site: str) -> None:
            name = f"{scenario.key}, {site}"
            say(f"{name} ...")
            try:
                result = RunningSite(place, scenario, site, number).run()
            except Exception:
                with lock:
                    failures.append(name)
                say(f"{name} failed:\n{traceback.format_exc()}")
                return
            with lock:
                on_result(result)
            say(f"{name}: {summary(result)}")

        for number, (scenario, site) in enumerate(pairs):
            pool.submit(carry_out, number, scenario, site)
    return failures


def summary(run: Run) -> str:
    """Return a run in a line."""
    outcome = run["outcome"]
    words = ("sent", "done", "lost", "doubled", "again", "cut_off")
    return ", ".join(f"{outcome[word]} {word.replace('_', ' ')}" for word in words)


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Return runs in the order of the scenarios and of the sites."""
    keys = [scenario.key for scenario in SCENARIOS]
    known = [run for run in runs if run["scenario"] in keys]
    return sorted(known, key=lambda run: (keys.index(run["scenario"]), emissions.SITES.index(run["site"])))


def merged(before: Iterable[Run], now: Iterable[Run]) -> list[Run]:
    """Return all runs; one of now takes the place of the same one before."""
    found = {(run["scenario"], run["site"]): run for run in (*before, *now)}
    return in_order(found.values())


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on and with."""
    return {
        "kubernetes": versions.KUBERNETES,
        "keda": versions.KEDA.newest,
        "redis": sites.run("redis-server", "--version").decode().split("v=")[1].split()[0],
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "celery": version("celery"),
        "kombu": version("kombu"),
        "redis-py": redis.__version__,
        "tutor": "22",
        "tutor-contrib-celery": "22",
    }


def write_results(file: Path, runs: Iterable[Run]) -> None:
    """Write the runs, beside those that the file has already of other scenarios and sites."""
    before = json.loads(file.read_text())["runs"] if file.exists() else []
    content = {"time_factor": TIME_FACTOR, "machine": machine(), "runs": merged(before, runs)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, separators=(",", ":")).replace('{"scenario"', '\n{"scenario"') + "\n")


def say(text: str) -> None:
    """Tell how far it is."""
    # In one call: several threads talk.
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make control-plane", description="Load real sites on a real control plane.")
    parser.add_argument("--scenario", action="append", default=[], choices=[scenario.key for scenario in SCENARIOS])
    parser.add_argument("--site", action="append", default=[], choices=emissions.SITES)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"runs side by side; default: {AT_ONCE}")
    parser.add_argument("--keep", type=Path, help="leave journals and logs in this directory")
    parser.add_argument("-o", "--output", type=Path, default=sites.ROOT / "build" / "control-plane.json")
    parser.add_argument("--write-docs", action="store_true", help="renew what docs/ and the README show of these runs")
    options = parser.parse_args()
    output = RESULTS if options.write_docs else options.output
    if not options.write_docs:
        output.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve() if options.keep is None else options.keep.resolve()
        failures = run_all(
            chosen(options.scenario, options.site),
            directory,
            at_once=options.at_once,
            on_result=lambda run: write_results(output, [run]),
        )
    if options.write_docs:
        write_documents(read_results())
    if failures:
        say(f"Error: these runs failed: {'; '.join(failures)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
