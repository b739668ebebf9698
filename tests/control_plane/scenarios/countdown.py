"""Hundreds of tasks with a countdown, which one worker takes all and has until they are due."""

from tests.control_plane.scenario import LMS_HIGH, MINUTE, SECOND, Scenario, each

SCENARIO = Scenario(
    key="countdown",
    title="500 tasks with a countdown of 10 minutes",
    messages=each(500, LMS_HIGH, SECOND, countdown=10 * MINUTE),
)
