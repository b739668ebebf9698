"""Redis stops and starts again, with Tutor's redis.conf, while tasks run, wait and are sent."""

import time

from tests.control_plane.run_site import RunningSite
from tests.control_plane.scenario import LMS_HIGH, MINUTE, SECOND, Scenario, Step, each

AWAY = 20 * SECOND


def restart(site: RunningSite) -> None:
    """Send SIGTERM, and start it on the same data a little later, as its Deployment does."""
    site.wait_busy(LMS_HIGH)
    site.broker.stop()
    time.sleep(AWAY / site.place.factor)
    site.broker.start()


SCENARIO = Scenario(
    key="redis-restart",
    title="4 tasks of 5 minutes and 30 of 10 s, Redis restarts",
    messages=[*each(4, LMS_HIGH, 5 * MINUTE, every=SECOND), *each(30, LMS_HIGH, 10 * SECOND, at=10, every=8 * SECOND)],
    steps=[Step(at=2 * MINUTE, what="Redis restarts", act=restart)],
)
