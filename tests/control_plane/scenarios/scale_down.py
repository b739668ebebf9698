"""A scale-in in the middle of tasks: the first are done soon, and pods go while the last still run.

A ReplicaSet takes its youngest pods away first, which are those that have begun with the long tasks.
"""

from tests.control_plane.scenario import LMS_HIGH_MEM, MINUTE, Scenario, each

SCENARIO = Scenario(
    key="scale-down",
    title="3 tasks of 3 minutes and 2 of 14 behind them, then fewer pods",
    messages=[*each(3, LMS_HIGH_MEM, 3 * MINUTE), *each(2, LMS_HIGH_MEM, 14 * MINUTE, at=1)],
)
