"""lost-consumer: told once, and not again as a queue without a consumer."""

from __future__ import annotations

import pytest

from kustomizer.errors import WARNING, Problem
from tests.diff.rules.two_builds import findings, found
from tests.rules.small_site import service, split_site, worker


def test_a_queue_that_nobody_takes_any_more() -> None:
    assert found("lost-consumer", split_site(), split_site(lms_worker_high="")) == [("error", "lms-worker-high")]


def test_it_is_told_once() -> None:
    rules = [finding.rule for finding in findings(split_site(), split_site(lms_worker_high=""))]
    assert rules.count("lost-consumer") == 1
    assert "orphaned-queue" not in rules


@pytest.mark.parametrize(("queues", "told"), [("high", 0), ("high, edx.lms.core.other", 1)])
def test_the_functions_warning_of_it_is_not_repeated(queues: str, told: int) -> None:
    message = f"after the split no worker would consume edx.lms.core.{queues}: tasks there would wait for ever"
    warning = Problem(message=message, severity=WARNING, field="spec.workers.lms")
    before, after = split_site(), split_site(lms_worker_high="")
    rules = [finding.rule for finding in findings(before, after, warnings=[warning])]
    assert (rules.count("lost-consumer"), rules.count("function-warning")) == (1, told)
    # Where nobody took it before, it is no news that orphaned-queue says.
    rules = [finding.rule for finding in findings(after, [*after, service("x")], [warning])]
    assert rules == ["function-warning"] * told


def test_one_that_another_worker_takes_over() -> None:
    other = worker("lms-worker", "edx.lms.core.default,edx.lms.core.high")
    assert found("lost-consumer", split_site(), split_site(lms_worker=other, lms_worker_high="")) == []


def test_one_that_a_renamed_worker_takes() -> None:
    after = [*split_site(lms_worker_high=""), worker("lms-worker-fast", "edx.lms.core.high")]
    assert found("lost-consumer", split_site(), after) == []


def test_one_that_had_no_consumer_before() -> None:
    before = split_site(lms_worker_high="")
    after = [*before[:-1], worker("cms-worker-low", "edx.cms.core.low", "--concurrency=2")]
    assert [finding.rule for finding in findings(before, after)] == []
