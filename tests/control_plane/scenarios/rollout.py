"""A rollout of a new image while tasks run."""

from tests.control_plane.run_site import RunningSite
from tests.control_plane.scenario import LMS_HIGH, LMS_HIGH_MEM, MINUTE, SECOND, Scenario, Step, each


def new_image(site: RunningSite) -> None:
    """Give every worker another image, as an upgrade does, once tasks run on each queue."""
    for queue in (LMS_HIGH, LMS_HIGH_MEM):
        site.wait_busy(queue)
    for name in site.deployments():
        arguments = ("--namespace", site.namespace, f"deployment/{name}", "*=openedx:next")
        site.place.cluster.kubectl("set", "image", *arguments)


SCENARIO = Scenario(
    key="rollout",
    title="4 tasks of 5 minutes and 3 of 15, then a new image",
    messages=[*each(4, LMS_HIGH, 5 * MINUTE, every=SECOND), *each(3, LMS_HIGH_MEM, 15 * MINUTE, every=SECOND)],
    steps=[Step(at=2 * MINUTE, what="a new image", act=new_image)],
)
