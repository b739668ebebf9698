"""Shows what was measured: tables of 80 columns, and the same between the markers of a document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from benchmarks.measure import Row

WIDTH = 80
NAME_WIDTH = 42


class Group(NamedTuple):
    """Commands that were measured against each other on one input."""

    key: str
    title: str
    rows: Sequence[Row]
    rounds: int
    base: str
    """The row that the others are compared with."""

    def row(self, name: str) -> Row | None:
        """Return the row of this name, None where it couldn't be measured."""
        return next((row for row in self.rows if row.name == name), None)

    def cpu_ratio(self, name: str, base: str = "") -> float | None:
        """Return how many times the CPU time of ``base`` the row ``name`` takes; None where one of them is missing."""
        row, other = self.row(name), self.row(base or self.base)
        return None if row is None or other is None else row.cpu_ratio(other)

    def wall_ratio(self, name: str, base: str = "") -> float | None:
        """Return the same for the wall time."""
        row, other = self.row(name), self.row(base or self.base)
        return None if row is None or other is None else row.wall_ratio(other)

    def more(self, name: str, without: str) -> tuple[float | None, float | None]:
        """Return how many times the CPU and the wall time of the base ``name`` takes more than ``without``."""
        row, other, base = self.row(name), self.row(without), self.row(self.base)
        return (None, None) if row is None or other is None or base is None else row.more(other, base)

    def as_json(self) -> dict[str, Any]:
        """Return the group as it goes into bench.json."""
        rows = [
            {
                "name": row.name,
                "cpu_ms": round(row.cpu, 1),
                "wall_ms": round(row.wall, 1),
                "peak_mb": round(row.peak, 1),
                "cpu_ratio": self.cpu_ratio(row.name),
                "wall_ratio": self.wall_ratio(row.name),
                "samples": [sample._asdict() for sample in row.samples],
            }
            for row in self.rows
        ]
        return {"title": self.title, "rounds": self.rounds, "base": self.base, "rows": rows}


class Goal(NamedTuple):
    """A ratio, or another number, that the project wants to be at most ``limit``; None where it is only shown."""

    name: str
    value: float | None
    limit: float | None = None
    unit: str = ""


def render_group(group: Group) -> str:
    """Return the table of one group."""
    lines = [
        f"{group.title}, {group.rounds} round{'s' if group.rounds > 1 else ''}",
        f"{'':{NAME_WIDTH}} {'CPU ms':>7} {'wall ms':>7} {'peak MB':>7} {'CPU x':>6} {'wall x':>6}",
    ]
    for row in group.rows:
        numbers = f"{row.cpu:7.1f} {row.wall:7.1f} {row.peak:7.1f}"
        ratios = f"{number(group.cpu_ratio(row.name)):>6} {number(group.wall_ratio(row.name)):>6}"
        lines.append(f"{row.name[:NAME_WIDTH]:{NAME_WIDTH}} {numbers} {ratios}")
    return "\n".join([*lines, f"x: how many times that of '{group.base}'"])


def render_goals(goals: Sequence[Goal]) -> str:
    """Return the table of what was wanted and what was reached."""
    lines = [f"{'':{NAME_WIDTH + 6}} {'measured':>10} {'goal':>9}"]
    for goal in goals:
        reached = "" if goal.value is None or goal.limit is None else "yes" if goal.value <= goal.limit else "no"
        limit = "" if goal.limit is None else f"{goal.limit:g}{goal.unit}"
        value = number(goal.value) + (goal.unit if goal.value is not None else "")
        lines.append(f"{goal.name[: NAME_WIDTH + 6]:{NAME_WIDTH + 6}} {value:>10} {limit:>9} {reached:>8}".rstrip())
    return "\n".join(lines)


def render_columns(rows: Mapping[str, Sequence[float | None]], heads: Sequence[str]) -> str:
    """Return a table of numbers by name, with ``heads`` over their columns."""
    lines = [f"{'':{NAME_WIDTH + 12}}" + "".join(f"{head:>10}" for head in heads)]
    for name, values in rows.items():
        lines.append(f"{name:{NAME_WIDTH + 12}}" + "".join(f"{number(value):>10}" for value in values))
    return "\n".join(lines)


def render_slopes(
    points: Sequence[tuple[float, Sequence[float]]], names: Sequence[str], slopes: Sequence[float]
) -> str:
    """Return CPU times (ms) by the size of the input (MB), and what each more MB costs."""
    lines = [f"{'input MB':>10} " + " ".join(f"{name:>16}" for name in names)]
    for size, times in points:
        lines.append(f"{size:10.2f} " + " ".join(f"{time:13.1f} ms" for time in times))
    lines.append(f"{'slope':>10} " + " ".join(f"{slope:10.1f} ms/MB" for slope in slopes))
    return "\n".join(lines)


def write_block(document: str, key: str, text: str) -> str:
    """Return ``document`` with ``text`` between the markers of ``key``, and as it was where there are none."""
    start, end = f"<!-- bench:{key} -->", f"<!-- /bench:{key} -->"
    if start not in document:
        return document
    if end not in document:
        raise BenchError(f"{start} has no {end}")
    block = f"{start}\n```\n{text}\n```\n{end}"
    return re.sub(f"{re.escape(start)}.*?{re.escape(end)}", lambda _: block, document, flags=re.DOTALL)


def number(value: float | None) -> str:
    """Return a number for a table, a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"
