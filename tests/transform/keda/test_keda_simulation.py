"""The tables of docs/keda.md: pods over time for a burst, a trickle of long tasks and a single one."""

from __future__ import annotations

from statistics import median

import pytest

from tests import sites
from tests.keda_simulation import Run, Scaling, Task, scaling, simulate
from tests.keda_site import worked

SPEC = "{workers: {lms: {high: {%s}, high_mem: {%s}}}}"
KINDS = {"`Off`": "Off", "`Zero`": "Zero", "`Slots`": "Slots"}
MINUTES = (0, 1, 2, 4, 6, 8, 10, 15, 20, 25, 30)

SCENARIOS = {
    "A burst: 400 tasks of 15 s at once, `concurrency: 4`, `listLength: 40`": (
        "concurrency: 4, keda: {enabled: true, inFlight: %s}",
        "high",
        [Task(0, 15)] * 400,
    ),
    "A trickle of long tasks: eight of 7 minutes, one every 2 minutes, `concurrency: 1`, `listLength: 1`": (
        "concurrency: 1, keda: {enabled: true, listLength: 1, inFlight: %s}",
        "high_mem",
        [Task(120 * number, 420) for number in range(8)],
    ),
    "One task of 20 minutes, and another one after 10, `concurrency: 1`, `listLength: 1`": (
        "concurrency: 1, keda: {enabled: true, listLength: 1, inFlight: %s}",
        "high_mem",
        [Task(0, 1200), Task(600, 60)],
    ),
}


def emitted(settings: str, variant: str) -> Scaling:
    """Return how the worker ``variant`` of the LMS scales with these settings."""
    result = worked(SPEC % ((settings, "") if variant == "high" else ("", settings)))
    return scaling(result.get("ScaledObject", f"lms-worker-{variant.replace('_', '-')}-scaledobject"))


def runs(scenario: str) -> dict[str, Run]:
    """Return what happens in each kind of scaling."""
    settings, variant, tasks = SCENARIOS[scenario]
    slots = int(settings.split(",")[0].removeprefix("concurrency: "))
    return {
        name: simulate(emitted(settings % kind, variant), tasks, slots=slots, seconds=7200)
        for name, kind in KINDS.items()
    }


def table(scenario: str) -> str:
    """Return the scenario's table as docs/keda.md has it."""
    lines = [
        f"{scenario}:\n",
        f"| minute | {' | '.join(map(str, MINUTES))} | wait, median | longest | all done |",
        "|" + " --- |" * (len(MINUTES) + 4),
    ]
    for name, run in runs(scenario).items():
        cells = [str(run.replicas[60 * minute]) for minute in MINUTES]
        times = [round(median(run.waits)), run.waits[-1], run.end]
        lines.append(f"| {name} | {' | '.join(cells)} | {' | '.join(clock(each) for each in times)} |")
    return "\n".join([*lines, ""])


def clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_documentation_has_it(scenario: str) -> None:
    text = (sites.ROOT / "docs" / "keda.md").read_text()
    assert table(scenario) in text, table(scenario)


def test_in_flight_keeps_the_pod_and_slots_add_more() -> None:
    long = runs(list(SCENARIOS)[2])
    assert long["`Off`"].replicas[480] == 0
    assert long["`Zero`"].replicas[480] == long["`Slots`"].replicas[480] == 1
    trickle = runs(list(SCENARIOS)[1])
    assert median(trickle["`Slots`"].waits) < median(trickle["`Zero`"].waits) / 3
    assert all(not run.replicas[7200] for each in (long, trickle) for run in each.values())
