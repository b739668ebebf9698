"""Tasks that are due later: a worker takes them from the queue at once, and has them until then."""

from tests.control_plane.scenario import CMS_LOW, MINUTE, SECOND, Message, Scenario

SCENARIO = Scenario(
    key="eta",
    title="8 tasks that are due in 4, 8, … 32 minutes",
    messages=[
        Message(at=0, queue=CMS_LOW, seconds=20 * SECOND, countdown=minutes * MINUTE) for minutes in range(4, 33, 4)
    ],
)
