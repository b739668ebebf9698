"""idle-queue: queues of workers that no saved task goes to."""

from __future__ import annotations

from kustomizer.tasks.model import Task
from tests.builds import QUEUES
from tests.known_tasks import known, site_tasks
from tests.rules.small_site import problems, split_site

TASKS = [known(f"on.{queue}", queue) for queue in QUEUES.values()]


def found(*tasks: Task, text: str = "") -> list[str]:
    return [str(each) for each in problems("idle-queue", *split_site(text), tasks=site_tasks(*tasks))]


def test_each_queue_has_a_task() -> None:
    assert found(*TASKS) == []


def test_a_queue_without_a_task() -> None:
    [problem] = problems("idle-queue", *split_site(), tasks=site_tasks(*TASKS[:4], *TASKS[5:]))
    assert problem.severity == "info"
    assert problem.resource is not None
    assert problem.resource.name == "cms-worker-high"
    assert problem.message == "no task went to edx.cms.core.high by itself on 2026-11-29"


def test_where_the_build_sends_it_counts() -> None:
    moved = TASKS[1].replace(after=QUEUES["lms-worker"])
    assert len(found(TASKS[0], moved, *TASKS[2:])) == 1
    assert found(TASKS[0], TASKS[1].replace(after=None), *TASKS[2:]) == []


def test_a_route_of_this_build() -> None:
    route = "EXPLICIT_QUEUES = {'new': {'queue': 'edx.lms.core.high'}}\n"
    assert found(TASKS[0], *TASKS[2:], text=route) == []


def test_tasks_of_which_it_isnt_known() -> None:
    [message] = found(*TASKS[1:], known("by.course", "", service="lms"))
    assert "no task went to edx.lms.core.default by itself on 2026-11-29; where 1 task went isn't known. " in message


def test_nothing_is_known() -> None:
    assert problems("idle-queue", *split_site()) == []
    of_lms = site_tasks().replace(versions={"lms": {"celery": "5.5.3", "kombu": "5.5.4"}})
    assert {
        each.resource.name[:3] for each in problems("idle-queue", *split_site(), tasks=of_lms) if each.resource
    } == {"lms"}
