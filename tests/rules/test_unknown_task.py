"""unknown-task: routes of tasks that the saved tasks don't hold."""

from __future__ import annotations

from kustomizer.errors import Problem
from kustomizer.tasks.model import SiteTasks
from tests.known_tasks import known, site_tasks
from tests.rules.small_site import problems, split_site, with_settings

KNOWN = site_tasks(known("lms.djangoapps.instructor_task.tasks.calculate_grades_csv"), known("cms.tasks.export"))
HIGH = "edx.lms.core.high"


def found(*routes: str, tasks: SiteTasks | None = KNOWN, name: str = "EXPLICIT_QUEUES") -> list[Problem]:
    text = f"{name} = { ({route: {'queue': HIGH} for route in routes}) }\n"
    return problems("unknown-task", *split_site(text), tasks=tasks)


def test_a_misspelt_name() -> None:
    [problem] = found("lms.djangoapps.instructor_tasks.tasks.calculate_grade_csv", KNOWN.tasks[0].name)
    assert problem.severity == "warning"
    assert problem.message == (
        "lms.djangoapps.instructor_tasks.tasks.calculate_grade_csv is routed to edx.lms.core.high, and no service had "
        "a task of that name on 2026-11-29"
    )
    assert problem.remedy == "Did you mean lms.djangoapps.instructor_task.tasks.calculate_grades_csv?"
    assert problem.field == 'data["production.py"] line 1'


def test_a_name_like_no_other() -> None:
    [problem] = found("plugin.tasks.new", name="CELERY_ROUTES")
    assert problem.remedy == "If it is newer, save the tasks again: tutor-kustomizer tasks --save"


def test_a_task_of_the_other_service_and_patterns() -> None:
    assert found("cms.tasks.export", "plugin.*", "plugin.task_?", name="CELERY_ROUTES") == []


def test_a_route_that_lms_and_its_worker_have_is_found_once() -> None:
    text = f"EXPLICIT_QUEUES = {{'gone': {{'queue': {HIGH!r}}}}}\n"
    both = split_site(text, lms_worker_high=with_settings("lms-worker-high", HIGH))
    assert len(problems("unknown-task", *both, tasks=KNOWN)) == 1


def test_nothing_is_known() -> None:
    assert found("gone", tasks=None) == []
    # Whether cms has it, nobody has asked.
    assert found("gone", tasks=KNOWN.replace(versions={"lms": KNOWN.versions["lms"]})) == []
