"""Measures commands against each other: one after the other in each round, so that they share what else is going on."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

A_MINUTE = 60
METER = Path(__file__).resolve().parent / "meter.py"


class BenchError(Exception):
    """Something that keeps the benchmarks from running, and that whoever runs them can mend."""


class Case(NamedTuple):
    """A command to measure."""

    name: str
    command: Sequence[str]
    stdin: Path = Path("/dev/null")
    env: Mapping[str, str] | None = None


class Sample(NamedTuple):
    """What one run cost: seconds, seconds, KB."""

    cpu: float
    wall: float
    peak: int


class Row(NamedTuple):
    """All runs of one command."""

    name: str
    samples: Sequence[Sample]

    @property
    def cpu(self) -> float:
        """CPU time, user and system, in ms."""
        return statistics.median(sample.cpu for sample in self.samples) * 1000

    @property
    def wall(self) -> float:
        """Wall time in ms."""
        return statistics.median(sample.wall for sample in self.samples) * 1000

    @property
    def peak(self) -> float:
        """Peak memory in MB."""
        return statistics.median(sample.peak for sample in self.samples) / 1000

    def cpu_ratio(self, other: Row) -> float:
        """Return how many times the CPU time of ``other`` this took: the median of the rounds' ratios."""
        return statistics.median(a.cpu / b.cpu for a, b in zip(self.samples, other.samples, strict=True))

    def wall_ratio(self, other: Row) -> float:
        """Return the same for the wall time."""
        return statistics.median(a.wall / b.wall for a, b in zip(self.samples, other.samples, strict=True))

    def more(self, without: Row, base: Row) -> tuple[float, float]:
        """Return how many times the CPU and the wall time of ``base`` this takes more than ``without``."""
        runs = list(zip(self.samples, without.samples, base.samples, strict=True))
        return (
            statistics.median((a.cpu - b.cpu) / c.cpu for a, b, c in runs),
            statistics.median((a.wall - b.wall) / c.wall for a, b, c in runs),
        )


class Rounds(NamedTuple):
    """How often to measure: as often as fits into ``seconds``, within limits."""

    least: int = 5
    most: int = 31
    seconds: float = 25

    def number(self, one_round: float) -> int:
        """Return how many rounds of this length (seconds) there will be, an odd number; one where it is a minute."""
        if one_round > A_MINUTE:
            return 1
        return max(self.least, min(self.most, int(self.seconds / one_round))) // 2 * 2 + 1


def run(case: Case, output: Path) -> Sample:
    """Run ``case`` once; its stdout goes to ``output``."""
    command = [sys.executable, "-I", "-S", str(METER), str(case.stdin), str(output), *case.command]
    done = subprocess.run(command, env=case.env, capture_output=True, text=True, check=False)
    fields = done.stdout.split()
    if len(fields) != len(("status", *Sample._fields)) or fields[0] != "0":
        raise BenchError(f"{case.name} failed ({' '.join(case.command)[:200]}):\n{done.stdout}{done.stderr}")
    return Sample(cpu=int(fields[1]) / 1e6, wall=int(fields[2]) / 1e6, peak=int(fields[3]))


def interleave(cases: Sequence[Case], output: Path, rounds: Rounds, say: Callable[[str], None]) -> list[Row]:
    """Measure ``cases`` in turn, round by round. The first round, which finds the caches cold, doesn't count."""
    start = time.perf_counter()
    for case in cases:
        run(case, output)
    count = rounds.number(time.perf_counter() - start)
    say(f"{len(cases)} commands, {count} rounds ...")
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    for _ in range(count):
        for case in cases:
            samples[case.name].append(run(case, output))
    return [Row(name, runs) for name, runs in samples.items()]
