"""Tasks that take longer than cooldown and grace period while their queue is empty, which is all that KEDA sees of it.

The longest takes longer than the 7200 s that overlays/production gives high_mem's pods to stop, too.
"""

from tests.control_plane.scenario import LMS_HIGH_MEM, MINUTE, Message, Scenario

SCENARIO = Scenario(
    key="long-tasks",
    title="3 tasks of 20, 40 and 125 minutes, nothing else in the queue",
    messages=[Message(at=0, queue=LMS_HIGH_MEM, seconds=minutes * MINUTE) for minutes in (20, 40, 125)],
    limit=150 * MINUTE,
)
