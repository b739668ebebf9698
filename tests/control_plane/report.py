"""Turns the results into the tables of README.md and docs/control-plane.md, and into the picture.

python -m tests.control_plane.report
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests import sites
from tests.control_plane import emissions
from tests.control_plane.picture import draw
from tests.control_plane.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Run = Mapping[str, Any]

DOCS = sites.ROOT / "docs"
RESULTS = DOCS / "control-plane" / "results.json"
DOCUMENTS = (sites.ROOT / "README.md", DOCS / "control-plane.md")
PICTURE = DOCS / "images" / "control-plane.svg"
NAMES = {
    emissions.PLAIN: "Tutor 22 alone",
    emissions.UPSTREAM: "tutor-contrib-celery 22",
    emissions.OURS: "ours",
    emissions.IN_ENV: "ours, in Tutor's `env/`",
    emissions.WITHOUT_REJECT: "ours, without `rejectOnWorkerLost`",
    emissions.RESTORING: "ours, with `restoreOrphans`",
}
DRAWN = ("steady", "scale-down")
COST = "mixed"
SHORT = 100


def headline(runs: Iterable[Run]) -> str:
    """Return what is lost and doubled in each scenario: tutor-contrib-celery's beside ours, and what a kill costs."""
    rows = [
        "| what happens | tutor-contrib-celery 22 | ours | back after | with `restoreOrphans` |",
        "| --- | --- | --- | --- | --- |",
    ]
    for _, title, by_site in _by_scenario(runs):
        if {emissions.UPSTREAM, emissions.OURS} <= by_site.keys():
            cells = [_verdict(by_site[site]) for site in (emissions.UPSTREAM, emissions.OURS)]
            cells += [_back(by_site.get(site)) for site in (emissions.OURS, emissions.RESTORING)]
            rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def losses(runs: Iterable[Run]) -> str:
    """Return every count of every run."""
    rows = [
        "| scenario | site | tasks | starts | lost | doubled | started again after a kill | "
        "cut off by the grace period | wait, median | longest | pods at most | pod minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, _, by_site in _by_scenario(runs):
        for site, run in by_site.items():
            outcome = run["outcome"]
            counts = [outcome[name] for name in ("sent", "starts", "lost", "doubled", "again", "cut_off")]
            # The first queue's say little where there are several: the table of the mixed load has each.
            median = max(waits["median"] for waits in outcome["waits"].values())
            longest = _at_least(outcome["waits"].values())
            numbers = [*map(str, counts), clock(median), longest, str(outcome["most_pods"]), _minutes(outcome)]
            rows.append(f"| {key} | {NAMES[site]} | {' | '.join(numbers)} |")
    return "\n".join(rows)


def cost(runs: Iterable[Run]) -> str:
    """Return how long each queue's tasks waited under the mixed load, and how many pod minutes that took."""
    by_site = next((by_site for key, _, by_site in _by_scenario(runs) if key == COST), {})
    rows = [
        "| site | queue | tasks | wait, median | 95th percentile | longest | lost | all pods |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for site, run in by_site.items():
        outcome = run["outcome"]
        whole = [str(outcome["lost"]), _price(run)]
        for queue, waits in outcome["waits"].items():
            numbers = [clock(waits["median"]), clock(waits["p95"]), _at_least([waits])]
            cells = [NAMES[site], f"`{queue}`", str(waits["tasks"]), *numbers, *whole]
            rows.append(f"| {' | '.join(cells)} |")
            whole = ["", ""]
    return "\n".join(rows)


def short(runs: Iterable[Run]) -> str:
    """Return the mixed load in a line for each queue, and one for what it took: the sites beside each other."""
    by_site = next((by_site for key, _, by_site in _by_scenario(runs) if key == COST), {})
    head = [f"{NAMES[site]}" for site in by_site]
    rows = [f"| wait, median (longest) | {' | '.join(head)} |", f"| --- |{' --- |' * len(head)}"]
    outcomes = [run["outcome"] for run in by_site.values()]
    for queue in sorted({queue for outcome in outcomes for queue in outcome["waits"]}):
        waits = [outcome["waits"][queue] for outcome in outcomes]
        cells = [f"{clock(each['median'])} ({_at_least([each])})" for each in waits]
        rows.append(f"| `{queue}` | {' | '.join(cells)} |")
    took = [_price(run) for run in by_site.values()]
    done = [f"{clock(outcome['took'])}" for outcome in outcomes]
    lost = [f"{outcome['lost']} of {outcome['sent']}" for outcome in outcomes]
    rows.append(f"| lost | {' | '.join(lost)} |")
    return "\n".join([*rows, f"| the last one done after | {' | '.join(done)} |", f"| cost | {' | '.join(took)} |"])


def machine(results: Mapping[str, Any]) -> str:
    """Return what it was measured on and with."""
    given = results["machine"]
    loads = [run["load_average"] for run in results["runs"]]
    words = [
        f"{name} {given[name]}"
        for name in ("celery", "kombu", "redis-py", "kubernetes", "keda", "redis")
        if name in given
    ]
    return (
        f"{given['cores']} cores, load average {min(mean for mean, _ in loads)} to {max(most for _, most in loads)}; "
        f"Tutor 22, tutor-contrib-celery 22, {', '.join(words)}; time {results['time_factor']} times faster."
    )


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, or as seconds where it is short."""
    whole = round(seconds)
    return f"{whole} s" if whole < SHORT else f"{whole // 60}:{whole % 60:02} min"


def write_block(document: str, key: str, text: str) -> str:
    """Return ``document`` with ``text`` between the markers of ``key``, and as it was where there are none."""
    start, end = f"<!-- control-plane:{key} -->", f"<!-- /control-plane:{key} -->"
    if start not in document:
        return document
    if end not in document:
        raise ValueError(f"{start} has no {end}")
    return re.sub(
        f"{re.escape(start)}.*?{re.escape(end)}", lambda _: f"{start}\n{text}\n{end}", document, flags=re.DOTALL
    )


def blocks(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each marker."""
    runs = results["runs"]
    return {
        "headline": headline(runs),
        "losses": losses(runs),
        "cost": cost(runs),
        "short": short(runs),
        "machine": machine(results),
    }


def read_results() -> dict[str, Any]:
    """Return what docs/control-plane/results.json holds."""
    results: dict[str, Any] = json.loads(RESULTS.read_text())
    return results


def write_documents(results: Mapping[str, Any]) -> None:
    """Put the tables where the documents have a place for them, and draw the picture."""
    for file in DOCUMENTS:
        text = file.read_text()
        for key, block in blocks(results).items():
            text = write_block(text, key, block)
        file.write_text(text)
    PICTURE.write_text(picture(results))


def picture(results: Mapping[str, Any]) -> str:
    """Return the picture of the scenarios in which one sees most."""
    return draw(results["runs"], {item.key: item.title for item in SCENARIOS if item.key in DRAWN})


def _by_scenario(runs: Iterable[Run]) -> Sequence[tuple[str, str, dict[str, Run]]]:
    found: dict[str, dict[str, Run]] = defaultdict(dict)
    for run in runs:
        found[run["scenario"]][run["site"]] = run
    return [(item.key, item.title, found[item.key]) for item in SCENARIOS if item.key in found]


def _back(run: Run | None) -> str:
    """Return after how long the last of the killed tasks started again, where one did."""
    seconds = run["outcome"].get("back_after", 0) if run else 0
    return clock(seconds) if seconds else ""


def _verdict(run: Run) -> str:
    outcome = run["outcome"]
    bad = [f"{outcome[word]} {word}" for word in ("lost", "doubled") if outcome[word]]
    return f"**{', '.join(bad)}** of {outcome['sent']}" if bad else f"none of {outcome['sent']}"


def _at_least(waits: Iterable[Mapping[str, Any]]) -> str:
    waits = list(waits)
    worst = clock(max(each["worst"] for each in waits))
    return f"never ({sum(each['never'] for each in waits)})" if any(each["never"] for each in waits) else worst


def _price(run: Run) -> str:
    # A run that lost tasks was watched for longer, in case that they come back, and its pods ran on.
    return f"{_minutes(run['outcome'])} pod minutes in {run['watched'] / 60:.0f}"


def _minutes(outcome: Mapping[str, Any]) -> str:
    return f"{outcome['pod_seconds'] / 60:.0f}"


if __name__ == "__main__":
    write_documents(read_results())
