"""Draws runs over time as an SVG: pods, tasks that wait and tasks that run, one site beside the other."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from tests.control_plane import emissions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Run = Mapping[str, Any]

COLUMNS = {emissions.UPSTREAM: "tutor-contrib-celery 22", emissions.OURS: "tutor-kustomizer"}
LINES = {"waiting": "#f2495c", "running": "#73bf69", "pods": "#8ab8ff"}
NAMES = {"waiting": "tasks that wait", "running": "tasks that run", "pods": "pods"}
WIDTH, HEIGHT, GAP, LEFT, TOP, BOTTOM = 480, 220, 8, 36, 48, 30
LEGEND = 30
TICKS = 4
STYLE = (
    "text{font:11px Inter,Helvetica,Arial,sans-serif;fill:#ccccdc}.title{font-size:13px;font-weight:500}"
    ".axis{fill:#8e8e99;font-size:10px}"
)


def draw(runs: Iterable[Run], scenarios: Mapping[str, str]) -> str:
    """Return the picture: a row for each scenario, by key and title, a column for each site.

    The same runs give the same bytes.
    """
    found = {(run["scenario"], run["site"]): run for run in runs}
    body = []
    for row, (key, title) in enumerate(scenarios.items()):
        present = [found[key, site] for site in COLUMNS if (key, site) in found]
        top = max((max(values) for run in present for values in _series(run).values()), default=1)
        minutes = max((_minutes(run) for run in present), default=1.0)
        for column, site in enumerate(COLUMNS):
            if (key, site) in found:
                panel = _panel(found[key, site], COLUMNS[site], title, max(top, 1), minutes)
                x, y = GAP + column * (WIDTH + GAP), GAP + LEGEND + row * (HEIGHT + GAP)
                body.append(f'<g transform="translate({x} {y})">{panel}</g>')
    width, height = GAP + len(COLUMNS) * (WIDTH + GAP), GAP + LEGEND + len(scenarios) * (HEIGHT + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#111217"/>{_legend()}'
        + "\n".join(body)
        + "</svg>\n"
    )


def _series(run: Run) -> dict[str, list[int]]:
    """Return a run's lines, summed over its queues."""
    queues = run["timeline"]["queues"].values()
    return {name: [sum(values) for values in zip(*(queue[name] for queue in queues), strict=True)] for name in LINES}


def _minutes(run: Run) -> float:
    """Return how long there was anything to see."""
    busy = [number for values in _series(run).values() for number, value in enumerate(values) if value]
    return float((max(busy, default=0) + 1) * run["timeline"]["step"]) / 60


def _panel(run: Run, name: str, title: str, top: int, minutes: float) -> str:
    outcome, step = run["outcome"], run["timeline"]["step"]
    width, height = WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM
    out = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="3" fill="#181b1f" stroke="#2f3037"/>']
    said = f"{outcome['done']} of {outcome['sent']} tasks done, {outcome['lost']} lost"
    out.append(f'<text class="title" x="10" y="18">{escape(name)}: {escape(said)}</text>')
    out.append(f'<text class="axis" x="10" y="34">{escape(title)}</text>')
    for part in range(3):
        y = TOP + height * part / 2
        out.append(f'<path d="M{LEFT} {y:g}h{width}" stroke="#2c2e33"/>')
        label = f"{top * (2 - part) / 2:g}"
        out.append(f'<text class="axis" x="{LEFT - 5}" y="{y + 4:g}" text-anchor="end">{label}</text>')
    for part in range(TICKS + 1):
        x = LEFT + width * part / TICKS
        label = f"{minutes * part / TICKS:.0f} min"
        anchor = "end" if part == TICKS else "middle"
        out.append(f'<text class="axis" x="{x:g}" y="{TOP + height + 16}" text-anchor="{anchor}">{label}</text>')
    for kind, values in _series(run).items():
        points = [
            (LEFT + width * number * step / 60 / minutes, TOP + height * (1 - value / top))
            for number, value in enumerate(values)
            if number * step / 60 <= minutes
        ]
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
        out.append(f'<path d="{path}" fill="none" stroke="{LINES[kind]}" stroke-width="1.5"/>')
    return "".join(out)


def _legend() -> str:
    out = []
    for number, (kind, colour) in enumerate(LINES.items()):
        x = GAP + 10 + number * 130
        out.append(f'<rect x="{x}" y="16" width="12" height="3" fill="{colour}"/>')
        out.append(f'<text x="{x + 18}" y="21">{NAMES[kind]}</text>')
    return "".join(out)
