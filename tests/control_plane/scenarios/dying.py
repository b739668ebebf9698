"""A task that needs more memory than there is: the kernel kills the process of the pool that runs it, and only that."""

from tests.control_plane import emissions
from tests.control_plane.scenario import LMS_HIGH, MINUTE, SECOND, Message, Scenario, each

OTHERS = each(5, LMS_HIGH, MINUTE, every=20 * SECOND)
SCENARIO = Scenario(
    key="dying",
    title="6 tasks of a minute, of which one kills its process the first time",
    messages=[
        *OTHERS,
        Message(at=10 * SECOND, queue=LMS_HIGH, seconds=MINUTE, dies="once"),
    ],
    sites=(emissions.UPSTREAM, emissions.OURS, emissions.WITHOUT_REJECT),
)
ALWAYS = Scenario(
    key="dying-always",
    title="the same, and it kills its process each time",
    messages=[*OTHERS, Message(at=10 * SECOND, queue=LMS_HIGH, seconds=MINUTE, dies="always")],
    sites=(emissions.OURS,),
    limit=10 * MINUTE,
)
