"""What a real Prometheus tells of a week that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer.cluster.prometheus import Prometheus
from kustomizer.cluster.web import Server, server
from kustomizer.errors import UserError
from kustomizer.tasks.numbers import Measured, Numbers, RunTime
from tests.recorded_week import DAY, HOUR, WEEK, Run, every, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT, HIGH, CMS = (
    f"celery@edx.{queue}" for queue in ("lms.core.default.a-1", "lms.core.high", "cms.core.default.b-1")
)
RUNS = [
    *every(600, "quick", DEFAULT, 0.3),
    *every(HOUR, "long", DEFAULT, 700),
    # Each is the only one of its pod, as when KEDA scales from zero.
    *(Run("churn", f"{HIGH}.pod-{number}", number * 5 * HOUR + 100, 45) for number in range(20)),
    Run("both", DEFAULT, DAY, 20),
    *(Run("both", f"{HIGH}.pod-{number}", 2 * DAY, 20) for number in range(2)),
    Run("both", CMS, DAY, 5),
    Run("both", CMS, DAY, 7, failed=True),
    Run("before", DEFAULT, WEEK + HOUR, 5),
    Run("nowhere", "celery@host", DAY, 8000),
]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with recorded(tmp_path_factory.mktemp("week") / "of", RUNS) as running:
        yield server(running.url, name="Prometheus", option="--prometheus", credentials=("PROMETHEUS_CREDENTIALS", ""))


@pytest.fixture(scope="module")
def told(week: Server) -> tuple[Measured, dict[tuple[str, str], Numbers]]:
    return Prometheus(week, namespace="openedx", window=WEEK).numbers()


def test_each_run_is_counted_once(told: tuple[Measured, dict[tuple[str, str], Numbers]]) -> None:
    found = {key: (numbers.runs, numbers.failed) for key, numbers in told[1].items()}
    assert found == {
        ("lms", "quick"): (1008, 0),
        ("lms", "long"): (168, 0),
        ("lms", "churn"): (20, 0),
        ("lms", "both"): (3, 0),
        ("cms", "both"): (2, 1),
        ("", "nowhere"): (1, 0),
    }


def test_times_are_the_bounds_between_which_they_are(told: tuple[Measured, dict[tuple[str, str], Numbers]]) -> None:
    measured, numbers = told
    assert (measured.source, measured.window, measured.top_bucket) == ("Prometheus", 7, 7200)
    assert measured.days == pytest.approx(7, abs=0.02)
    quick, long, churn = (numbers["lms", name] for name in ("quick", "long", "churn"))
    assert {quick.median, quick.p95, quick.longest} == {RunTime(least=0.1, most=0.5)}
    assert (str(long.median), str(long.longest)) == ("10 min to 30 min", "10 min to 30 min")
    assert str(numbers["", "nowhere"].longest) == "over 2 h"
    assert long.per_day == pytest.approx(24, rel=0.01)
    assert quick.seconds == pytest.approx(1008 * 0.3, rel=0.01)
    assert churn.seconds == 20 * 45
    ran_on = {key: each.ran_on for key, each in numbers.items()}
    assert ran_on["lms", "churn"] == "edx.lms.core.high"
    assert (ran_on["cms", "both"], ran_on["lms", "both"]) == ("edx.cms.core.default", "edx.lms.core.high")
    assert not ran_on["", "nowhere"]


def test_the_time_of_each_hour(told: tuple[Measured, dict[tuple[str, str], Numbers]]) -> None:
    numbers = told[1]
    assert {len(each.hours) for each in numbers.values()} == {168}
    # Prometheus extrapolates to the whole hour.
    assert numbers["lms", "long"].hours == pytest.approx([700] * 168, rel=0.1)
    churn = [index for index, seconds in enumerate(numbers["lms", "churn"].hours) if seconds]
    assert churn == [167 - 5 * number for number in reversed(range(20))]


def test_a_part_of_the_week(week: Server) -> None:
    measured, numbers = Prometheus(week, namespace="", window=10 * HOUR).numbers()
    assert {key: each.runs for key, each in numbers.items()} == {
        ("lms", "quick"): 60,
        ("lms", "long"): 10,
        ("lms", "churn"): 2,
    }
    assert measured.days == pytest.approx(10 / 24, rel=0.02)


def test_another_namespace(week: Server) -> None:
    with pytest.raises(UserError, match=r"of namespace openedx, and none of staging. Name the one that is meant"):
        Prometheus(week, namespace="staging", window=WEEK)


def test_nothing_of_flower(tmp_path_factory: pytest.TempPathFactory) -> None:
    with recorded(tmp_path_factory.mktemp("none") / "of", []) as running:
        nothing = server(running.url, name="Prometheus", option="--prometheus", credentials=("", ""))
        with pytest.raises(UserError, match=r"no metric flower_events_total of the last 7 days. It comes from Flower"):
            Prometheus(nothing, namespace="openedx", window=WEEK)
