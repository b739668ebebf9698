"""Draw the dashboard as an SVG, from what a Prometheus has: `tools/render_dashboard.py URL MINUTES FILE`.

For the README: the panels are those that are shipped, the numbers a real site's, and only the drawing is not Grafana's.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from html import escape
from pathlib import Path
from typing import NamedTuple

from dashboard_panels import PANELS, Panel

NAMESPACE = "openedx"
SAMPLES = 120
COLUMNS, WIDTH, HEIGHT, GAP = 3, 400, 250, 8
PLOT_LEFT, PLOT_TOP, PLOT_BOTTOM = 42, 34, 84
LEGEND_LINES = 4
COLOURS = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#fade2a")
STYLE = (
    "text{font:11px Inter,Helvetica,Arial,sans-serif;fill:#ccccdc}.title{font-size:13px;font-weight:500}"
    ".axis{fill:#8e8e99;font-size:10px}"
)


class Series(NamedTuple):
    """One line: its legend, and values by time."""

    legend: str
    points: list[tuple[float, float]]


def series_of(url: str, panel: Panel, start: float, end: float) -> list[Series]:
    """Return a panel's lines, those with the highest last values first."""
    found = []
    for legend, expression in panel.queries.items():
        query = {
            "query": expression.replace("$namespace", NAMESPACE),
            "start": str(start),
            "end": str(end),
            "step": str(max(1, round((end - start) / SAMPLES))),
        }
        with urllib.request.urlopen(f"{url}/api/v1/query_range?{urllib.parse.urlencode(query)}") as answer:  # noqa: S310
            result = json.load(answer)["data"]["result"]
        for item in result:
            name = legend
            for label, text in item["metric"].items():
                name = name.replace(f"{{{{{label}}}}}", text)
            found.append(Series(name, [(float(moment), float(value)) for moment, value in item["values"]]))
    return sorted(found, key=lambda series: (-series.points[-1][1], series.legend))


def nice_maximum(value: float) -> float:
    """Return a round number that is at least ``value``."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    while step > value > 0:
        step /= 10
    return next(step * factor for factor in (1, 2, 5, 10, 20) if step * factor >= value) if value > 0 else 1.0


def with_unit(value: float, unit: str) -> str:
    """Return a number as Grafana would write it."""
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:.3g}%" if unit == "percent" else f"{value:.3g}"


def draw(panel: Panel, lines: list[Series], start: float, end: float) -> str:
    """Return a panel at the origin."""
    out = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="3" fill="#181b1f" stroke="#2f3037"/>']
    out.append(f'<text class="title" x="10" y="20">{escape(panel.title)}</text>')
    top = panel.maximum or nice_maximum(max((value for line in lines for _, value in line.points), default=1))
    width, height = WIDTH - PLOT_LEFT - 12, HEIGHT - PLOT_TOP - PLOT_BOTTOM
    for part in range(3):
        y = PLOT_TOP + height * part / 2
        label = with_unit(top * (2 - part) / 2, panel.unit)
        out.append(f'<path d="M{PLOT_LEFT} {y}h{width}" stroke="#2c2e33"/>')
        out.append(f'<text class="axis" x="{PLOT_LEFT - 5}" y="{y + 4}" text-anchor="end">{label}</text>')
    for part in range(5):
        moment = time.strftime("%H:%M", time.gmtime(start + (end - start) * part / 4))
        x = PLOT_LEFT + width * part / 4
        out.append(f'<text class="axis" x="{x}" y="{PLOT_TOP + height + 14}" text-anchor="middle">{moment}</text>')
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        # A gap where there was no value.
        previous, path = 0.0, []
        for at, value in line.points:
            x = PLOT_LEFT + width * (at - start) / (end - start)
            y = PLOT_TOP + height * (1 - min(value, top) / top)
            path.append(f"{'M' if at - previous > (end - start) / SAMPLES * 2 else 'L'}{x:.1f} {y:.1f}")
            previous = at
        out.append(f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        if number < LEGEND_LINES:
            y = PLOT_TOP + height + 30 + 13 * number
            last = with_unit(line.points[-1][1], panel.unit)
            out.append(f'<rect x="10" y="{y - 5}" width="12" height="3" fill="{colour}"/>')
            out.append(f'<text x="27" y="{y}">{escape(line.legend)}</text>')
            out.append(f'<text x="{WIDTH - 10}" y="{y}" text-anchor="end">{last}</text>')
    if not lines:
        out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">No data</text>')
    return "".join(out)


def render(url: str, minutes: float) -> str:
    """Return the SVG."""
    end = time.time()
    start = end - minutes * 60
    panels = []
    for number, panel in enumerate(PANELS):
        x = GAP + number % COLUMNS * (WIDTH + GAP)
        y = GAP + number // COLUMNS * (HEIGHT + GAP)
        body = draw(panel, series_of(url, panel, start, end), start, end)
        panels.append(f'<g transform="translate({x} {y})">{body}</g>')
    width = GAP + COLUMNS * (WIDTH + GAP)
    height = GAP + -(-len(PANELS) // COLUMNS) * (HEIGHT + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#111217"/>' + "\n".join(panels) + "</svg>\n"
    )


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(render(sys.argv[1], float(sys.argv[2])))
