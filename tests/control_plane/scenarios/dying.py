"""A task that needs more memory than there is: the kernel kills the process of the pool that runs it, and only that."""

from tests.control_plane import emissions
from tests.control_plane.scenario import LMS_HIGH, MINUTE, SECOND, Message, Scenario, each

SCENARIO = Scenario(
    key="dying",
    title="6 tasks of a minute, of which one kills its process the first time",
    messages=[
        *each(5, LMS_HIGH, MINUTE, every=20 * SECOND),
        Message(at=10 * SECOND, queue=LMS_HIGH, seconds=MINUTE, dies="once"),
    ],
    sites=(emissions.UPSTREAM, emissions.OURS, emissions.WITHOUT_REJECT),
)
