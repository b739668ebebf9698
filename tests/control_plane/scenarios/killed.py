"""A worker that is killed with its node, in the middle of its tasks."""

from tests.control_plane import emissions
from tests.control_plane.run_site import RunningSite
from tests.control_plane.scenario import LMS_HIGH, LOSS, MINUTE, SECOND, Scenario, Step, each


def kill(site: RunningSite) -> None:
    """Kill the pod that has begun first."""
    site.lose(site.wait_busy(LMS_HIGH))


SCENARIO = Scenario(
    key="killed",
    title="4 tasks of 5 minutes, the node of a worker fails",
    messages=each(4, LMS_HIGH, 5 * MINUTE, every=SECOND),
    sites=(*LOSS, emissions.RESTORING),
    steps=[Step(at=2 * MINUTE, what="a worker is killed", act=kill)],
)
