"""What the project wants, beside what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.names import (
    COMMAND,
    EXEC,
    GO_SAME,
    LEAVES_OFF,
    OLD_NAMES,
    OURS,
    OURS_FLOWER,
    REPLAY,
    SAVE,
    SAVE_AGAIN,
    SAVE_SPLIT,
    UPSTREAM,
    WITH_TUTOR,
)
from benchmarks.table import Goal, Group, render_columns

if TYPE_CHECKING:
    from collections.abc import Sequence


def goals(groups: dict[str, Group], slopes: Sequence[float]) -> list[Goal]:
    """Return what the project wants, beside what was measured."""
    result = []
    for site, limit in (("plain", 0.9), ("full", 0.25)):
        if group := groups.get(f"function-{site}"):
            name = OURS_FLOWER if group.row(OURS_FLOWER) else OURS
            result.append(Goal(f"{site}: the function's CPU / Go, nothing", group.cpu_ratio(name), limit))
            result.append(Goal(f"{site}: the function's CPU / Go, the same", group.cpu_ratio(OURS, GO_SAME)))
    for site, limit in (("plain", 0.64), ("full", 0.82)):
        if group := groups.get(f"builds-{site}"):
            result += [
                Goal(f"{site}: build's wall / build with `cat`", group.wall_ratio(EXEC), limit),
                Goal(f"{site}: the same / with ids left off", group.wall_ratio(EXEC, LEAVES_OFF), 1.15),
                Goal(f"{site}: `cat` of our answer / with ids left off", group.wall_ratio(REPLAY, LEAVES_OFF)),
                Goal(f"{site}: `tutor-kustomizer build` / kustomize's", group.wall_ratio(COMMAND, EXEC), 1.1),
                Goal(f"{site}: build / upstream's save and build", group.wall_ratio(COMMAND, UPSTREAM)),
                Goal(f"{site}: save and build, ours / upstream's", group.wall_ratio(WITH_TUTOR, UPSTREAM)),
            ]
    if group := groups.get("builds-queues-300"):
        result.append(Goal("300 queues: build's wall / names by kustomize", group.wall_ratio(EXEC, OLD_NAMES), 0.25))
        result.append(Goal("300 queues: `cat` of our answer / the function", group.wall_ratio(REPLAY, EXEC)))
        result.append(Goal("300 queues: `tutor-kustomizer build` / kustomize's", group.wall_ratio(COMMAND), 1.1))
    for site in inputs.SITES:
        if group := groups.get(f"save-{site}"):
            cpu, wall = group.more(SAVE_SPLIT, SAVE)
            result.append(Goal(f"{site}: `config save` with the split / kubectl", wall, 2.6))
            result.append(Goal(f"{site}: the same, CPU", cpu))
            result.append(Goal(f"{site}: the same where the split is there, CPU", group.more(SAVE_AGAIN, SAVE)[0]))
    row = groups["queues-1000"].row(OURS) if "queues-1000" in groups else None
    if row:
        result.append(Goal("1,000 queues: CPU", row.cpu / 1000, 2, " s"))
        result.append(Goal("1,000 queues: peak memory", row.peak, 200, " MB"))
    if slopes:
        result.append(Goal("slope: the function / read and write", slopes[1] / slopes[0]))
    return result


def summary(groups: dict[str, Group]) -> str:
    """Return the few numbers that say how it stands, a column for each site."""
    function = [groups[f"function-{site}"] for site in inputs.SITES]
    builds = [groups[f"builds-{site}"] for site in inputs.SITES]
    queues = groups["queues-1000"].row(OURS)
    rows = {
        "the function / a Go function that does nothing, CPU": [
            group.cpu_ratio(OURS_FLOWER if group.row(OURS_FLOWER) else OURS) for group in function
        ],
        "kustomize build / with `cat` as the function": [group.wall_ratio(EXEC) for group in builds],
        "tutor-kustomizer build / with `cat` as the function": [group.wall_ratio(COMMAND) for group in builds],
        "tutor-kustomizer build / save and build, upstream's": [
            group.wall_ratio(COMMAND, UPSTREAM) for group in builds
        ],
    }
    text = render_columns(rows, list(inputs.SITES))
    return f"{text}\n1,000 queues: {queues.cpu / 1000:.2f} s CPU, {queues.peak:.0f} MB" if queues else text
