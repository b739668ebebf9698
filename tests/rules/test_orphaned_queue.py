"""orphaned-queue: known queues and routed ones without a consumer."""

from __future__ import annotations

import json

import pytest

from kustomizer.site.queues import queues_of
from tests.rules.small_site import deployment, finder, problems, resource, service, settings, site, split_site, worker

found = finder("orphaned-queue")
DEFAULT, HIGH = "edx.lms.core.default", "edx.lms.core.high"


def test_each_queue_has_a_consumer() -> None:
    assert found(*split_site()) == []


def test_a_queue_without_a_worker() -> None:
    (problem,) = problems("orphaned-queue", *split_site(lms_worker_high_mem=""))
    assert problem.severity == "error"
    assert "edx.lms.core.high_mem, and no worker consumes it" in problem.message
    assert "spec.workers.lms.high_mem: {}" in problem.remedy


def test_a_default_queue_of_the_sites_own() -> None:
    """Open edX routes few tasks: the others go there."""
    config = resource("ConfigMap", "openedx-config", data={"lms.env.yml": "CELERY_DEFAULT_QUEUE: edx.lms.core.other\n"})
    (problem,) = problems("orphaned-queue", config, *split_site())
    assert "lms sends tasks to edx.lms.core.other, and no worker consumes it" in problem.message
    assert problem.remedy == "Give edx.lms.core.other a worker: spec.workers.lms.other: {}"
    assert problems("orphaned-queue", config, *split_site(), worker("lms-worker-other", "edx.lms.core.other")) == []


def test_a_queue_that_is_called_otherwise() -> None:
    config = resource("ConfigMap", "openedx-config", data={"lms.env.yml": "CELERY_DEFAULT_QUEUE: celery\n"})
    (problem,) = problems("orphaned-queue", config, *split_site())
    assert problem.remedy == "Give celery a worker: spec.workers.lms.celery: {queues: [celery]}"


def test_a_worker_that_something_else_starts() -> None:
    """A supervisor or a script of the image may run one."""
    built = [service("lms"), deployment("lms-worker", {"command": ["supervisord", "-n"]})]
    first, *_ = problems("orphaned-queue", *built)
    assert (first.severity, first.field) == ("info", "spec.template.spec")
    assert "its command line has no `celery … worker`" in first.message
    [row] = queues_of(site(*built))
    assert (row.service, row.queue, row.deployment) == ("lms", "", "lms-worker")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("import acme\nEXPLICIT_QUEUES.update(acme.routes())\n", 1), ("EXPLICIT_QUEUES['a'] = {'queue': 'b'}\n", 0)],
)
def test_routes_that_settings_compute(text: str, expected: int) -> None:
    given = split_site(
        f"from lms.envs.production import *\n{text}", lms_worker_high=worker("lms-worker-high", f"{HIGH},b")
    )
    found = [
        item for item in problems("orphaned-queue", *given) if "it routes to which queue isn't known" in item.message
    ]
    assert [(item.severity, item.field) for item in found] == [("info", 'data["production.py"] line 3')] * expected


STATEFUL = {
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Rollout": "argoproj.io/v1alpha1",
    "CloneSet": "apps.kruise.io/v1alpha1",
}


def of_kind(kind: str, text: str) -> str:
    tree = json.loads(text)
    return json.dumps({**tree, "kind": kind, "apiVersion": STATEFUL[kind]}) + "\n"


@pytest.mark.parametrize("kind", STATEFUL)
def test_a_worker_of_another_kind(kind: str) -> None:
    """spec.workers splits Deployments, and the build refuses any other."""
    takes_all = of_kind(kind, worker("lms-worker"))
    assert found(service("lms"), takes_all) == []
    takes_one = of_kind(kind, worker("lms-worker", "edx.lms.core.default"))
    first, second = problems("orphaned-queue", service("lms"), takes_one)
    assert first.remedy == (
        "Name edx.lms.core.high in its --queues. lms-worker can't be split in spec.workers: "
        f"{kind} lms-worker is no Deployment"
    )
    assert "edx.lms.core.high_mem" in second.remedy


def test_no_worker_to_split() -> None:
    remedies = [problem.remedy for problem in problems("orphaned-queue", service("lms"))]
    assert (
        remedies
        == ["Deploy a worker that names it in --queues: there is no lms-worker in this build that could be split"] * 3
    )


def test_a_worker_in_a_sidecar_takes_its_queues() -> None:
    """Of the application itself, or of anything else; a plain init container has to end before the pod starts."""
    args = ["celery", "--app=cms.celery", "worker", "--queues=edx.cms.core.default,edx.cms.core.high,edx.cms.core.low"]
    sidecar = {"name": "celery", "args": args, "env": [{"name": "SERVICE_VARIANT", "value": "cms"}]}
    always = service("cms", pod={"initContainers": [{**sidecar, "restartPolicy": "Always"}]})
    assert found(always) == []
    assert {(row.service, row.deployment) for row in queues_of(site(always))} == {("cms", "cms")}
    assert found(service("cms", pod={"initContainers": [sidecar]})) == [("error", "cms")] * 3


def test_a_worker_that_cannot_be_edited() -> None:
    script = "celery --app=lms.celery worker --queues=edx.lms.core.default $OPTIONS"
    shell = worker("lms-worker", container={"args": ["sh", "-c", script]})
    first, _ = problems("orphaned-queue", service("lms"), shell)
    assert "can't be split in spec.workers: $OPTIONS may hold options" in first.remedy


@pytest.mark.parametrize(
    "args",
    [
        ["celery", "multi", "start", "w1", "-Q", f"{DEFAULT},{HIGH}"],
        ["sh", "-c", f"celery --app=lms.celery worker --queues={DEFAULT} | tee log"],
        ["sh", "-c", "exec celery --app=lms.celery worker --queues=$QUEUES"],
        ["celery", "--app=lms.celery", "worker", "$(OPTIONS)"],
    ],
)
def test_queues_that_nobody_knows(args: list[str]) -> None:
    """Never that nobody takes a queue which somebody may take."""
    given = [service("lms"), worker("lms-worker", container={"args": args})]
    found = problems("orphaned-queue", *given)
    assert [problem.severity for problem in found] == ["info"] * 3
    assert all("isn't known: " in problem.message for problem in found)
    assert all(row.deployment for row in queues_of(site(*given)))


def test_a_worker_without_queues_takes_those_of_its_service() -> None:
    assert found(service("lms"), worker("lms-worker", "", "--exclude-queues=edx.cms.core.default")) == []
    assert found(service("lms"), worker("lms-worker", "", "-X", "edx.lms.core.high")) == [("error", "lms")]


def test_a_worker_of_another_namespace_is_no_consumer() -> None:
    elsewhere = worker("lms-worker-high", "edx.lms.core.high", namespace="other")
    assert found(*split_site(lms_worker_high=elsewhere)) == [("error", "lms")]


def test_the_last_of_two_options_counts() -> None:
    twice = worker("lms-worker-high", "edx.lms.core.high", "--queues=edx.lms.core.default")
    assert found(*split_site(lms_worker_high=twice)) == [("error", "lms")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("EXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}", 1),
        ("EXPLICIT_QUEUES = {**(globals().get('EXPLICIT_QUEUES') or {}), 'a.task': {'queue': 'nobody'}}", 1),
        ("try:\n    EXPLICIT_QUEUES.update({'a.task': {'queue': 'nobody'}})\nexcept NameError:\n    pass", 2),
        ("EXPLICIT_QUEUES['a.task'] = {'queue': 'nobody'}", 1),
        ("EXPLICIT_QUEUES['a.task'] = 'nobody'", 1),
        ("CELERY_ROUTES = {'a.task': {'queue': 'nobody'}}", 1),
        ("CELERY_ROUTES = ([('a.task', {'queue': 'nobody'}), ('b', 'edx.lms.core.high')],)", 1),
        ("CELERY_ROUTES = ('openedx.router', {'a.task': 'nobody'}, {'b': {'routing_key': 'b'}})", 1),
        ("def route(queue):\n    return {'queue': queue}\nEXPLICIT_QUEUES.update({'a.task': route('nobody')})", 3),
        ("for task in ['a.task']:\n    EXPLICIT_QUEUES[task] = {'queue': 'no' + 'body'}", 2),
    ],
)
def test_a_task_routed_to_nobody(text: str, line: int) -> None:
    (problem,) = problems("orphaned-queue", *split_site(text))
    assert problem.message == "a.task is routed to nobody, and no worker consumes it: it is never run"
    assert problem.field == f'data["production.py"] line {line}'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("CELERYBEAT_SCHEDULE['night'] = {'task': 'a.task', 'options': {'queue': 'nobody'}}", 1),
        (
            "from celery.schedules import crontab\nCELERYBEAT_SCHEDULE.update({'night': {\n'task': 'a.task',\n"
            "'schedule': crontab(hour=0), 'options': {'queue': 'nobody'}}})",
            2,
        ),
        ("CELERYBEAT_SCHEDULE = {'night': {'task': 'a.task', 'schedule': 5, 'options': {'queue': 'nobody'}}}", 1),
    ],
)
def test_a_task_that_is_scheduled_to_nobody(text: str, line: int) -> None:
    (problem,) = problems("orphaned-queue", *split_site(text))
    assert problem.message == "a.task is routed to nobody, and no worker consumes it: it is never run"
    assert problem.field == f'data["production.py"] line {line}'


def test_a_schedule_without_a_queue_of_its_own() -> None:
    entries = "'a': {'task': 'a', 'schedule': 5}, 'b': {'task': 'b', 'options': {'queue': 'edx.lms.core.high'}}, 'c': 1"
    assert found(*split_site(f"CELERYBEAT_SCHEDULE = {{{entries}, 'd': {{'task': 'd', 'options': 'nobody'}}}}")) == []


@pytest.mark.parametrize(
    ("setting", "task"),
    [
        ("GRADES_DOWNLOAD_ROUTING_KEY", "lms.djangoapps.instructor_task.tasks.calculate_grades_csv"),
        ("BULK_EMAIL_ROUTING_KEY", "lms.djangoapps.bulk_email.tasks.send_course_email"),
    ],
)
def test_a_routing_key_of_open_edxs_own(setting: str, task: str) -> None:
    """``lms/envs/production.py`` makes EXPLICIT_QUEUES of them, before any settings file of the site."""
    env = resource("ConfigMap", "openedx-config", data={"lms.env.yml": f"A: 1\n{setting}: nobody\n"})
    (problem,) = problems("orphaned-queue", *split_site("x = 1"), env)
    assert problem.message == f"{task} is routed to nobody, and no worker consumes it: it is never run"
    assert problem.field == 'data["lms.env.yml"] line 2'
    own = resource("ConfigMap", "openedx-config", data={"lms.env.yml": f"{setting}: {DEFAULT}\n"})
    assert not [row for row in queues_of(site(*split_site("x = 1"), own)) if row.tasks]
    null = resource("ConfigMap", "openedx-config", data={"lms.env.yml": f"{setting}: null\n"})
    assert found(*split_site("x = 1"), null) == []


def test_a_routing_key_of_tutors_own_beside_a_renamed_queue() -> None:
    """Tutor's ``lms.env.yml`` names the default queue itself."""
    text = "DEFAULT_PRIORITY_QUEUE: own\nCELERY_DEFAULT_QUEUE: own\nACE_ROUTING_KEY: edx.lms.core.default\n"
    env = resource("ConfigMap", "openedx-config", data={"lms.env.yml": text})
    given = split_site("x = 1", lms_worker=worker("lms-worker", "own"))
    (problem,) = problems("orphaned-queue", *given, env)
    assert "send_verification_status_email is routed to edx.lms.core.default" in problem.message
    # It is so without a split; a route of the site's own to that queue isn't.
    assert problem.severity == "warning"
    routed = split_site(
        "EXPLICIT_QUEUES['a.task'] = {'queue': 'edx.lms.core.default'}", lms_worker=worker("lms-worker", "own")
    )
    assert [item.severity for item in problems("orphaned-queue", *routed, env)] == ["warning", "error"]


@pytest.mark.parametrize(
    "text",
    [
        "if False:\n    EXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}",
        "def never_called():\n    EXPLICIT_QUEUES['a.task'] = {'queue': 'nobody'}",
        "EXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}\nEXPLICIT_QUEUES.pop('a.task')",
        "EXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}\nEXPLICIT_QUEUES = {}",
        "raise SystemExit\nEXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}",
    ],
)
def test_what_the_settings_do_not_route(text: str) -> None:
    assert [item for item in problems("orphaned-queue", *split_site(text)) if item.severity == "error"] == []


def test_settings_that_nothing_loads() -> None:
    assert found(*split_site(), settings("EXPLICIT_QUEUES = {'a.task': {'queue': 'nobody'}}")) == []


def test_a_task_routed_to_a_worker() -> None:
    text = "EXPLICIT_QUEUES = {'a.task': {'queue': 'edx.lms.core.high'}, 'b': {'queue': 'edx.lms.core.default'}}"
    assert found(*split_site(text)) == []
    # Where the other's goes isn't known.
    [note] = problems("orphaned-queue", *split_site(text.replace("'edx.lms.core.default'", "computed()")))
    assert note.severity == "info"


def test_another_application_has_no_known_queues() -> None:
    assert found(resource("Deployment", "superset", api_version="apps/v1")) == []
