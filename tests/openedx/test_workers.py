"""What is found in Tutor's output, beyond what golden cases and real sites show."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.errors import UserError
from kustomizer.manifests.name_hashes import is_generated_name
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.openedx.workers import (
    emitted_in,
    emitted_worker,
    environment,
    grace_period,
    pod_template,
    worker_services,
    workers_of,
)

CELERY = ["celery", "--app=lms.celery", "worker"]


def made(kind: str, name: str, spec: Any, namespace: str = "openedx") -> Resource:
    metadata = {"name": name, "namespace": namespace}
    return Resource.new({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}, indent=0)


def deployment(name: str, *containers: dict[str, Any], namespace: str = "openedx", **pod: Any) -> Resource:
    return made("Deployment", name, {"template": {"spec": {"containers": list(containers), **pod}}}, namespace)


def test_a_worker_is_known_by_what_it_runs() -> None:
    resources = Resources(
        [
            deployment("lms-worker", {"name": "proxy"}, {"name": "anything", "command": CELERY}),
            deployment("cms-worker", {"name": "cms-worker", "args": ["uwsgi"]}),
            deployment("mail-worker", {"args": ["celery", "--app=mail", "beat"]}),
            deployment("lms", {"args": CELERY}),
        ]
    )

    assert worker_services(resources) == ["lms"]
    worker = emitted_worker(resources, "lms")
    assert (worker.service, worker.container, worker.deployment) == ("lms", 1, "lms-worker")
    with pytest.raises(UserError, match=r"no Deployment cms-worker that runs a Celery worker.*have one: lms$"):
        emitted_worker(resources, "cms")
    with pytest.raises(UserError, match="no Deployment mail-worker"):
        emitted_worker(resources, "mail")


def test_without_any_worker_the_message_says_none() -> None:
    with pytest.raises(UserError, match="have one: none"):
        emitted_worker(Resources([]), "lms")


@pytest.mark.parametrize("name", ["prod-lms-worker", "lms-worker-prod"])
def test_a_worker_that_kustomize_has_renamed(name: str) -> None:
    with pytest.raises(UserError, match=f"Move namePrefix or nameSuffix, which made {name}, to a kustomization above"):
        emitted_worker(Resources([deployment(name, {"args": CELERY}), deployment("lms", {"args": ["uwsgi"]})]), "lms")


def test_two_workers_in_a_pod_are_refused() -> None:
    two = deployment("lms-worker", {"args": CELERY}, {"args": [*CELERY, "-Q", "other"]})
    with pytest.raises(UserError, match=r"more than one container.*container 0.*container 1"):
        emitted_worker(Resources([two]), "lms")
    assert emitted_in("lms", two) is None


def test_a_worker_in_a_sidecar_among_the_init_containers_is_one() -> None:
    for policy, refused in (("Always", True), (None, False)):
        pod = deployment("lms-worker", {"args": CELERY}, initContainers=[{"args": CELERY, "restartPolicy": policy}])
        if refused:
            with pytest.raises(UserError, match=r"more than one container.*\(container 0\).*\(init container 0\)"):
                emitted_worker(Resources([pod]), "lms")
        else:
            assert emitted_worker(Resources([pod]), "lms").container == 0


def test_a_worker_is_no_init_container() -> None:
    pod = deployment("lms-worker", {"args": ["uwsgi"]}, initContainers=[{"args": CELERY}])
    with pytest.raises(UserError, match="no Deployment lms-worker"):
        emitted_worker(Resources([pod]), "lms")


def test_a_sidecar_is_a_worker_that_isnt_split() -> None:
    env = [{"name": "SERVICE_VARIANT", "value": "lms"}]
    sidecar = {"args": [*CELERY, "-Q", "a"], "restartPolicy": "Always", "env": env}
    pod = deployment("reports", {"args": ["nginx"]}, initContainers=[{"args": ["true"]}, sidecar])
    [worker] = workers_of([pod])
    assert (worker.service, worker.queues) == ("lms", ("a",))
    assert worker.field == "spec.template.spec.initContainers[1]"
    assert worker.container_tree is sidecar
    with pytest.raises(UserError, match=r"the Celery worker of lms is a sidecar: only a container of its own is split"):
        emitted_worker(Resources([deployment("lms-worker", {"args": ["nginx"]}, initContainers=[sidecar])]), "lms")


def test_a_script_with_a_scheduler_says_where_that_goes() -> None:
    script = "celery -A lms beat & celery --app=lms.celery worker --queues=a"
    resources = Resources([deployment("lms-worker", {"args": ["sh", "-c", script]})])
    with pytest.raises(UserError, match="a scheduler in the script becomes its option --beat"):
        emitted_worker(resources, "lms")


def queues_of(service: str, *options: str) -> tuple[str, ...] | None:
    worker = emitted_in(service, deployment(f"{service}-worker", {"args": [*CELERY, *options]}))
    assert worker is not None
    return worker.queues


def test_queues_that_settings_define_are_known_for_open_edx_alone() -> None:
    assert queues_of("cms") == ("edx.cms.core.default", "edx.cms.core.high", "edx.cms.core.low")
    assert queues_of("lms", "-X", "edx.lms.core.high,edx.cms.core.default") == (
        "edx.lms.core.default",
        "edx.lms.core.high_mem",
    )
    assert queues_of("superset") is None
    assert queues_of("superset", "-Qa,b") == ("a", "b")


def test_pod_templates() -> None:
    pod = {"containers": [{"name": "a"}]}
    assert pod_template(made("Pod", "a", pod)) == {
        "apiVersion": "apps/v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "openedx"},
        "spec": pod,
    }
    template = {"spec": pod}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        assert pod_template(made(kind, "a", {"template": template})) == template
    assert pod_template(made("CronJob", "a", {"jobTemplate": {"spec": {"template": template}}})) == template
    odd: list[Any] = [
        None,
        {},
        {"template": None},
        {"template": {"spec": {}}},
        {"template": {"spec": {"containers": "x"}}},
    ]
    for spec in odd:
        assert pod_template(made("Deployment", "a", spec)) is None


def test_grace_period() -> None:
    assert grace_period(deployment("a", {}, terminationGracePeriodSeconds=90)) == 90
    assert grace_period(deployment("a", {}, terminationGracePeriodSeconds=None)) == 0
    assert grace_period(deployment("a", {})) == 0
    assert grace_period(deployment("a", {}, terminationGracePeriodSeconds=90.0)) == 90


def test_environment() -> None:
    container = {"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {}}, {"name": "C", "value": None}]}
    assert [environment(container, name) for name in "ABCD"] == ["1", None, None, None]
    assert environment({}, "A") is None
    assert environment({"env": None}, "A") is None
    # A kubelet takes the last of two.
    twice = {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}
    assert environment(twice, "A") == "2"


@pytest.mark.parametrize(("name", "expected"), [
    ("openedx-settings-lms", True),
    ("openedx-settings-lms-8d47ck4c27", True),
    ("openedx-settings-lms-cbgkmh264g", True),
    ("openedx-settings-lms-8d47ck4c2", False),  # too short
    ("openedx-settings-lms-8d47ck4c270", False),
    ("openedx-settings-lms-production", False),  # ten letters, but vowels are none of a hash
    ("openedx-settings-lms-8D47CK4C27", False),
    ("openedx-settings-lmsx8d47ck4c27", False),
    ("openedx-settings", False),
])  # fmt: skip
def test_generated_names(name: str, expected: bool) -> None:
    assert is_generated_name(name, "openedx-settings-lms") is expected


def test_a_command_that_is_no_list() -> None:
    resources = Resources([deployment("lms-worker", {"args": "celery --app=lms.celery worker"})])
    with pytest.raises(UserError, match=r"containers\[0\].args: isn't a list"):
        emitted_worker(resources, "lms")


@pytest.mark.parametrize("words", [["--detach"], ["-D"], ["-ED"]])
def test_a_worker_that_leaves_its_container(words: list[str]) -> None:
    given = Resources([deployment("lms-worker", {"args": [*CELERY, *words]})])
    with pytest.raises(UserError, match=r"containers\[0\]: the worker goes to the background \(--detach\)"):
        emitted_worker(given, "lms")
