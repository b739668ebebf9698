"""Every scenario there is, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.control_plane.scenarios import (
    countdown,
    dying,
    eta,
    going_live,
    killed,
    long_tasks,
    mixed,
    orphans,
    redis_restart,
    rollout,
    scale_down,
    steady,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.control_plane.scenario import Scenario

SCENARIOS: Sequence[Scenario] = (
    long_tasks.SCENARIO,
    steady.SCENARIO,
    scale_down.SCENARIO,
    killed.SCENARIO,
    dying.SCENARIO,
    dying.ALWAYS,
    eta.SCENARIO,
    countdown.SCENARIO,
    rollout.SCENARIO,
    redis_restart.SCENARIO,
    going_live.SCENARIO,
    going_live.DRAINED,
    mixed.SCENARIO,
    orphans.SCENARIO,
)
