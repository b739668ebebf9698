"""eager-tasks: a service that runs its tasks itself."""

from __future__ import annotations

from kustomizer.manifests.protocols import read_build
from kustomizer.rules.registry import findings_of
from kustomizer.site.model import Site
from tests.keda_site import SETTINGS, site, worked
from tests.rules.small_site import deployment, finder, resource, settings, split_site, with_settings

found = finder("eager-tasks")
QUEUES = "edx.lms.core.default"
EAGER = "from lms.envs.production import *\nCELERY_ALWAYS_EAGER = True\n"


def test_what_settings_say() -> None:
    assert found(*split_site()) == []
    worker = with_settings("lms-worker", QUEUES)
    assert found(settings(EAGER), worker, with_settings("lms-worker-high", "edx.lms.core.high")) == [
        ("warning", "openedx-settings-lms")
    ]
    assert found(settings(EAGER.replace("True", "False")), worker) == []


def test_what_the_service_itself_loads_counts() -> None:
    worker = with_settings("lms-worker", QUEUES)
    # The workers run what they are sent.
    plain = {"args": ["uwsgi"], "env": [{"name": "DJANGO_SETTINGS_MODULE", "value": "lms.envs.production"}]}
    assert found(settings(EAGER), worker, deployment("lms", plain)) == []
    env = resource("ConfigMap", "openedx-config", data={"lms.env.yml": "CELERY_ALWAYS_EAGER: true\n"})
    assert found(env, worker, deployment("lms", plain)) == [("warning", "openedx-config")]


def test_it_is_said_once() -> None:
    result = worked("{workers: {lms: {high: {}, high_mem: {}}}}", site(settings=f"{SETTINGS}CELERY_ALWAYS_EAGER = 1\n"))
    built = Site(read_build(result.output.data), result.output.problems)
    assert [finding.rule for finding in findings_of(built) if "its own processes" in finding.problem.message] == [
        "eager-tasks"
    ]
