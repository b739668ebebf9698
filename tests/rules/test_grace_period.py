"""grace-period: times to finish that don't fit."""

from __future__ import annotations

import pytest

from tests.rules.small_site import finder, problems, resource, settings, with_settings, worker

found = finder("grace-period")
HIGH_MEM = "edx.lms.core.high_mem"


def messages(*documents: str) -> list[str]:
    return [problem.message for problem in problems("grace-period", *documents)]


def test_it_fits() -> None:
    assert found(worker("lms-worker", grace=600), worker("cms-worker", grace=3600)) == []


@pytest.mark.parametrize(("grace", "said"), [(None, "Kubernetes' default of 30 s"), (10, "pods get 10 s")])
def test_too_short_for_anything(grace: int | None, said: str) -> None:
    (problem,) = problems("grace-period", worker("lms-worker", grace=grace))
    assert problem.severity == "warning"
    assert said in problem.message
    assert problem.field == "spec.template.spec.terminationGracePeriodSeconds"


def test_shorter_than_tasks_may_take() -> None:
    (said,) = messages(worker("lms-worker", HIGH_MEM, "--time-limit=900", grace=600))
    assert said == "pods get 600 s to finish, and a task may take 900 s (--time-limit)"
    assert messages(worker("lms-worker", HIGH_MEM, "--time-limit", "600", grace=600)) == []
    by_settings = [with_settings("lms-worker", HIGH_MEM), settings("CELERYD_TASK_TIME_LIMIT = 900\n")]
    (said,) = messages(*by_settings)
    assert said == "pods get 600 s to finish, and a task may take 900 s (CELERYD_TASK_TIME_LIMIT)"


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        ({"exec": {"command": ["sleep", "600"]}}, 600),
        ({"exec": {"command": ["sh", "-c", "echo bye; sleep 700;"]}}, 700),
        ({"sleep": {"seconds": 900}}, 900),
        ({"sleep": {"seconds": 599}}, 0),
        ({"exec": {"command": ["sh", "-c", "sleep $N"]}}, 0),
        ({"exec": None}, 0),
        (None, 0),
    ],
)
def test_a_hook_that_takes_all_of_it(hook: object, seconds: int) -> None:
    found = problems("grace-period", worker("lms-worker", container={"lifecycle": {"preStop": hook}}))
    assert [problem.field for problem in found] == ["spec.template.spec.containers[0].lifecycle.preStop"] * bool(
        seconds
    )
    assert all(f"takes {seconds} s of the 600 s that pods get" in problem.message for problem in found)


def test_longer_than_celerys_own_visibility_timeout() -> None:
    (said,) = messages(worker("lms-worker", HIGH_MEM, grace=7200))
    assert said.endswith("Redis hands to another one after 3600 s: it is run twice")


def test_the_timeout_is_read_from_the_workers_settings() -> None:
    text = "BROKER_TRANSPORT_OPTIONS = {'unacked_key': 'unacked.own', 'visibility_timeout': 14400}"
    high_mem = with_settings("lms-worker-high-mem", HIGH_MEM, grace=7200)
    assert messages(high_mem, settings(text)) == []
    assert messages(high_mem, settings(text.replace("14400", "7000"))) != []


def test_the_shortest_timeout_of_a_shared_key_counts() -> None:
    long = "BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 14400}"
    lms, cms = with_settings("lms-worker", "a", grace=7200), with_settings("cms-worker", "b")
    (said,) = messages(lms, settings(long), cms, settings("", "cms"))
    assert "after 3600 s" in said
    assert messages(lms, settings(long), cms, settings(long, "cms")) == []


def test_the_timeout_of_lms_env_yml() -> None:
    options = 'CELERY_BROKER_TRANSPORT_OPTIONS: {"visibility_timeout": 14400}\n'
    config = resource("ConfigMap", "openedx-config", data={"lms.env.yml": options})
    assert messages(worker("lms-worker", HIGH_MEM, grace=7200), config) == []


def test_an_environment_file_that_cannot_be_read_tells_nothing() -> None:
    config = resource("ConfigMap", "openedx-config", data={"lms.env.yml": "CELERY_BROKER_HOSTNAME: [\n"})
    assert messages(worker("lms-worker", grace=600), config) == []


def test_a_soft_shutdown_that_has_no_time() -> None:
    text = "CELERYD_SOFT_SHUTDOWN_TIMEOUT = 600"
    (said,) = messages(with_settings("lms-worker", "a", grace=600), settings(text))
    assert "before the 600 s of the soft shutdown are over" in said
    assert messages(with_settings("lms-worker", "a", grace=700), settings(text)) == []


def test_other_applications_are_not_ours_to_know() -> None:
    assert found(worker("superset-worker", grace=None)) == []


@pytest.mark.parametrize("url", ["sqs://", "amqp://rabbit"])
def test_what_redis_does_holds_for_redis(url: str) -> None:
    text = f"BROKER_URL = {url!r}\nBROKER_TRANSPORT_OPTIONS = {{'visibility_timeout': 60}}"
    assert messages(with_settings("lms-worker", "a", grace=600), settings(text)) == []
    (said,) = messages(with_settings("lms-worker", "a", grace=600), settings(text.replace(url, "redis://a")))
    assert "after 60 s" in said


def test_a_worker_without_pods_has_none_to_stop() -> None:
    assert found(worker("lms-worker", "a", grace=None, replicas=0)) == []
    assert found(worker("lms-worker", "a", grace=None)) != []
