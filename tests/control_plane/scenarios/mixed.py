"""What it costs, and who waits: a burst of short tasks, reports, and a trickle that users wait for."""

from tests.control_plane import emissions
from tests.control_plane.scenario import LMS_DEFAULT, LMS_HIGH, LMS_HIGH_MEM, MINUTE, SECOND, Scenario, each

SCENARIO = Scenario(
    key="mixed",
    title="200 tasks of 3 s on default at once, 4 of 10 minutes on high_mem, one of 2 s on high every 20 s",
    messages=[
        *each(60, LMS_HIGH, 2 * SECOND, every=20 * SECOND),
        *each(4, LMS_HIGH_MEM, 10 * MINUTE, at=MINUTE, every=10 * SECOND),
        *each(200, LMS_DEFAULT, 3 * SECOND, at=2 * MINUTE),
    ],
    sites=(emissions.PLAIN, emissions.UPSTREAM, emissions.OURS),
    every_worker=True,
)
