"""Which pods are Open edX's, which of them is asked, and which may have tasks under a key."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.cluster.pods import LivePod, live_pods, may_use, pod_to_ask
from kustomizer.errors import UserError
from kustomizer.openedx.celery_programs import app_name


class Listed(Kubectl):
    """A kubectl that has listed these pods."""

    items: list[dict[str, Any]]

    def get(self, *arguments: str) -> Any:
        assert arguments == ("pods",)
        return {"items": self.items}


def pod(name: str, container: str, *args: str, **more: Any) -> dict[str, Any]:
    """Return a pod of the LMS, running and ready; ``more`` goes into its metadata and status."""
    environment = [{"name": "SERVICE_VARIANT", "value": "lms"}]
    status = {"phase": "Running", "containerStatuses": [{"name": container, "ready": True}]}
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": container}, **more.get("metadata", {})},
        "spec": {"containers": [{"name": container, "args": list(args), "env": more.get("env", environment)}]},
        "status": status | more.get("status", {}),
    }


WORKER = ("celery", "--app=lms.celery", "worker", "--hostname=high.%h")


def listed(*items: dict[str, Any]) -> list[LivePod]:
    return live_pods(Listed(path="kubectl", items=list(items)))


def test_only_open_edx_in_pods_that_havent_ended() -> None:
    found = listed(
        pod("high-1", "lms-worker-high", *WORKER),
        pod("lms-1", "lms", "uwsgi"),
        pod("named-1", "cms-worker-low", *WORKER, env=None),
        pod("done-1", "lms-job", status={"phase": "Succeeded"}),
        pod("lost-1", "lms-job", status={"phase": "Failed"}),
        pod("superset-worker-1", "superset-worker", *WORKER, env=None),
        pod("starting-1", "lms-worker", *WORKER, status={"phase": "Pending", "containerStatuses": None}),
        pod("crashing-1", "lms-worker", *WORKER, status={"containerStatuses": [{"name": "lms-worker"}]}),
        pod("stopping-1", "lms-worker", *WORKER, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        {},
    )
    assert {each.name: (each.is_worker, each.is_ready) for each in found} == {
        "high-1": (True, True),
        "lms-1": (False, True),
        "named-1": (True, True),
        "starting-1": (True, False),
        "crashing-1": (True, False),
        "stopping-1": (True, False),
    }
    assert (found[0].node, found[0].app) == ("celery@high.high-1", "lms.celery")


def test_a_default_worker_is_asked_before_others() -> None:
    pods = listed(
        pod("a-lms", "lms", "uwsgi"),
        pod("b-high", "lms-worker-high", *WORKER),
        pod("c-starting", "lms-worker", *WORKER, status={"phase": "Pending"}),
        pod("d-default", "lms-worker", *WORKER),
    )
    asked = []
    while pods:
        try:
            asked.append(pod_to_ask(pods, name=None, namespace="openedx").name)
        except UserError:
            break
        pods = [each for each in pods if each.name not in asked]
    assert asked == ["d-default", "b-high", "a-lms"]


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("unacked", {"copy", "default", "prefixed"}),
        ("site-key", {"copy", "default", "prefixed"}),
        ("unacked.lms-worker-high", {"copy", "prefixed"}),
        ("unacked.lms-worker", {"default"}),
        ("unacked.gone", set()),
    ],
)
def test_a_key_with_a_workers_name_is_that_workers(key: str, names: set[str]) -> None:
    pods = {
        "copy": LivePod(name="lms-worker-high-5c9f-x", container="main", service="lms", labels={}),
        "default": LivePod(name="lms-worker-5c9f-x", container="lms-worker", service="lms", labels={}),
        "prefixed": LivePod(name="prod-lms-worker-high-5c9f-x", container="lms-worker-high", service="lms", labels={}),
    }
    assert {name for name, each in pods.items() if may_use(each, key)} == names


@pytest.mark.parametrize(
    ("container", "app"),
    [
        ({"args": ["celery", "--app=lms.celery:APP", "worker"]}, "lms.celery:APP"),
        ({"command": ["celery", "-A", "site.celery"], "args": ["worker"]}, "site.celery"),
        ({"command": ["celery"], "args": ["--app", "site.celery", "worker"]}, "site.celery"),
        ({"args": ["uwsgi"]}, "cms.celery"),
        ({}, "cms.celery"),
    ],
)
def test_the_application_is_the_command_lines(container: dict[str, Any], app: str) -> None:
    assert app_name(container, "cms") == app


def test_a_worker_in_a_sidecar() -> None:
    item = pod("lms-1", "lms", "uwsgi", status={"initContainerStatuses": [{"name": "celery", "ready": True}]})
    [own] = item["spec"]["containers"]
    item["spec"]["initContainers"] = [
        {**own, "name": "celery", "args": list(WORKER), "restartPolicy": "Always"},
        {**own, "name": "migrate"},
    ]
    assert [(each.container, each.is_worker, each.is_ready) for each in listed(item)] == [
        ("lms", False, True),
        ("celery", True, True),
    ]
