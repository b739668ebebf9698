"""A task of ten minutes every minute: a burst would hide it when tasks that run aren't counted as load."""

from tests.control_plane.scenario import LMS_HIGH_MEM, MINUTE, Scenario, each

SCENARIO = Scenario(
    key="steady",
    title="12 tasks of 10 minutes, one every minute",
    messages=each(12, LMS_HIGH_MEM, 10 * MINUTE, every=MINUTE),
)
