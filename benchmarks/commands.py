"""What each command takes on larger and larger sites, and what it takes before it does anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import yaml

from benchmarks import inputs
from benchmarks.measure import Case, run
from benchmarks.table import number
from kustomizer.tasks.task_file import FILE, tasks_json
from tests import sites
from tests.known_tasks import between, known, numbers, site_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from benchmarks.measure import Sample
    from kustomizer.tasks.model import SiteTasks

QUEUES = (10, 100, 400, 1000)
FOREIGN = 10_000
BUILDS = "kustomize build"
"""The row that tells how much of `build` and `export` is kustomize's."""
SMALL, LARGE = 100, 400
"""Between these two sites, commands have to stay linear."""
OF_KUSTOMIZE = ("build", "export", "export, the second time")
"""Commands that run kustomize, whose time grows with the square."""
_SLOWEST_BUILD = 400


class Measured(NamedTuple):
    """One command by the number of a site's queues, and on a build with many objects of others."""

    name: str
    samples: Mapping[int, Sample]
    foreign: Sample | None

    @property
    def growth(self) -> float | None:
        """How many times as long a queue of the large site takes as one of the small site."""
        small, large = self.samples.get(SMALL), self.samples.get(LARGE)
        return None if small is None or large is None else (large.cpu / LARGE) / (small.cpu / SMALL)

    def as_json(self) -> dict[str, Any]:
        """Return the row as it goes into bench.json."""
        samples = {str(queues): sample._asdict() for queues, sample in self.samples.items()}
        return {"queues": samples, "foreign": self.foreign and self.foreign._asdict(), "growth": self.growth}


def measure(
    scratch: Path, env: Mapping[str, str], tool: Sequence[str], kustomize: Path, function: Path
) -> list[Measured]:
    """Measure the commands once on each size; ``tool`` is the command without its arguments."""
    found: dict[str, dict[int, Sample]] = {}
    for queues in QUEUES:
        directory = scratch / f"commands-{queues}"
        config = inputs.config(inputs.spec(queues=queues), function=function)
        overlay = inputs.overlay(directory / "overlay", sites.site(inputs.SITES["plain"]), config)
        build = directory / "build.yaml"
        (overlay / FILE).write_text(tasks_json(_tasks(config)))
        case = Case(BUILDS, [str(kustomize), *sites.BUILD, str(overlay)], env=env)
        found.setdefault(BUILDS, {})[queues] = run(case, build)
        commands = _on_files(build, _changed(build)) | _on_overlays(overlay, kustomize)
        for name, arguments in commands.items():
            if queues <= _SLOWEST_BUILD or name not in OF_KUSTOMIZE:
                case = Case(name, [*tool, *arguments], env=env)
                found.setdefault(name, {})[queues] = run(case, directory / "output")
    foreign = _with_foreign(scratch, scratch / f"commands-{QUEUES[0]}" / "build.yaml")
    others = {
        name: run(Case(name, [*tool, *arguments], env=env), scratch / "output")
        for name, arguments in _on_files(foreign, _changed(foreign)).items()
    }
    return [Measured(name, samples, others.get(name)) for name, samples in found.items()]


def _on_files(build: Path, before: Path) -> dict[str, list[str]]:
    return {
        "queues": ["queues", str(build)],
        "queues -v -o json": ["queues", "-v", "-o", "json", str(build)],
        "check": ["check", str(build)],
        "diff": ["diff", str(before), str(build)],
        "diff -o markdown": ["diff", "-o", "markdown", str(before), str(build)],
    }


def _on_overlays(overlay: Path, kustomize: Path) -> dict[str, list[str]]:
    exported = str(overlay.parent / "exported")
    export = ["export", "--kustomize", str(kustomize), str(overlay), "-o", exported]
    return {
        "build": ["build", "--kustomize", str(kustomize), str(overlay), "-o", str(overlay.parent / "built.yaml")],
        "export": export,
        "export, the second time": export,
        "queue add": ["queue", "add", "lms", "one_more", "--overlay", str(overlay)],
        "advise": ["advise", str(overlay)],
    }


def _tasks(config: str) -> SiteTasks:
    """Return two tasks for each queue that the configuration adds: a short one, and a long one that is in its way."""
    workers = yaml.safe_load(config)["spec"]["workers"]
    return site_tasks(
        *(
            known(f"{service}.{name}.{variant}", f"edx.{service}.core.{variant}", numbers=numbers(per_day, time))
            for service, variants in workers.items()
            for variant in variants
            for name, per_day, time in (("short", 500, between(0.1, 0.5)), ("long", 10, between(600, 1800)))
        )
    )


def _changed(build: Path) -> Path:
    """Return the build as it was before each worker got another limit of its tasks."""
    before = build.with_name("before.yaml")
    before.write_text(build.read_text().replace("--max-tasks-per-child=100", "--max-tasks-per-child=50"))
    return before


def _with_foreign(scratch: Path, build: Path) -> Path:
    """Return the build with many objects of other applications."""
    one = """\
---
apiVersion: v1
data:
  settings.ini: |
    [server]
    name = {name}
kind: ConfigMap
metadata:
  name: {name}
  namespace: others
"""
    directory = scratch / "commands-foreign"
    directory.mkdir()
    file = directory / "build.yaml"
    file.write_text(build.read_text() + "".join(one.format(name=f"other-{count:05}") for count in range(FOREIGN)))
    return file


def render(rows: Sequence[Measured]) -> str:
    """Return the table: CPU seconds by the number of queues, how they grow, and memory."""
    heads = "".join(f"{queues:>7,}" for queues in QUEUES)
    lines = [
        "CPU seconds by the number of a site's queues, one run each",
        f"{'':23}{heads} growth peak MB {FOREIGN:,} others",
    ]
    for row in rows:
        samples = (row.samples.get(queues) for queues in QUEUES)
        times = "".join(f"{number(sample and sample.cpu):>7}" for sample in samples)
        peak = number(row.samples[LARGE].peak / 1000)
        foreign = number(row.foreign and row.foreign.cpu)
        lines.append(f"{row.name:23}{times}{number(row.growth):>7}{peak:>8}{foreign:>14}")
    lines.append(f"growth: a queue's time on {LARGE} queues, in those on {SMALL}; peak MB: on {LARGE} queues;")
    lines.append(f"others: a build of {QUEUES[0]} queues with so many objects of other applications")
    return "\n".join(lines)
