"""stranded-messages: in-flight keys that nobody has afterwards."""

from __future__ import annotations

from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import settings, split_site, with_settings, worker

OWN = 'BROKER_TRANSPORT_OPTIONS = {"unacked_key": "unacked.high", "visibility_timeout": 100}\n'
HIGH = with_settings("lms-worker-high", "edx.lms.core.high")


def site(text: str = OWN, **workers: str) -> list[str]:
    return [*split_site(**{"lms_worker_high": HIGH, **workers}), settings(text)]


def test_a_worker_with_a_key_of_its_own_that_goes() -> None:
    (problem,) = problems("stranded-messages", site(), site(lms_worker_high=""))
    assert problem.severity == "warning"
    assert "unacked.high" in problem.message
    assert "tutor-kustomizer in-flight restore lms-worker-high" in problem.remedy


def test_a_key_that_changes() -> None:
    after = site(OWN.replace("unacked.high", "unacked.fast"))
    assert found("stranded-messages", site(), after) == [("warning", "lms-worker-high")]


def test_a_key_that_another_worker_has() -> None:
    renamed = with_settings("lms-worker-fast", "edx.lms.core.high")
    assert found("stranded-messages", site(), [*site(lms_worker_high=""), renamed]) == []


def test_a_key_that_two_workers_had_is_told_of_once() -> None:
    two = [*site(), with_settings("lms-worker-fast", "edx.lms.core.high")]
    assert len(found("stranded-messages", two, site(lms_worker_high=""))) == 1


def test_the_key_that_the_default_workers_share() -> None:
    assert found("stranded-messages", split_site(), split_site(lms_worker_high="")) == []


def test_one_namespace_says_nothing_of_another() -> None:
    moved = [worker("lms-worker", "edx.lms.core.default", namespace="other")]
    before = [worker("lms-worker", "edx.lms.core.default")]
    assert found("stranded-messages", before, moved) == [("warning", "lms-worker")]
