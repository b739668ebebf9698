"""Variables that a container has though no ``env`` names them: settings that read them aren't known."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.openedx.celery.values import Known, Unknown
from tests.openedx.celery.test_view import view_of
from tests.openedx.celery.worker_cases import Case, case

REDIS = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "my-redis"}, "spec": {"ports": [{"port": 6379}]}}


def reads(variable: str, *, others: tuple[dict[str, Any], ...] = (REDIS,), links: bool | None = None) -> Case:
    settings = f"CELERY_DEFAULT_QUEUE = os.environ.get({variable!r}, 'unset')\n"
    given = case("given", settings=settings, others=others)
    if links is not None:
        given.deployment["spec"]["template"]["spec"]["enableServiceLinks"] = links
    return given


@pytest.mark.parametrize(
    "variable",
    [
        *("MY_REDIS_SERVICE_HOST", "MY_REDIS_SERVICE_PORT", "MY_REDIS_SERVICE_PORT_HTTP", "MY_REDIS_PORT"),
        *("MY_REDIS_PORT_6379_TCP_ADDR", "KUBERNETES_SERVICE_HOST", "KUBERNETES_PORT", "HOSTNAME", "LMS_CFG", "PATH"),
    ],
)
def test_a_running_pod_has_them(variable: str) -> None:
    assert isinstance(view_of(reads(variable)).default_queue, Unknown)


@pytest.mark.parametrize("variable", ["REDIS_PORT", "MY_REDIS_HOST", "OTHER_SERVICE_HOST", "PORT", "MY_REDIS"])
def test_others_are_not_set(variable: str) -> None:
    queue = view_of(reads(variable)).default_queue
    assert isinstance(queue, Known)
    assert queue.value == "unset"


def test_a_pod_may_do_without_links() -> None:
    assert isinstance(view_of(reads("MY_REDIS_PORT", links=True)).default_queue, Unknown)
    assert isinstance(view_of(reads("MY_REDIS_PORT", links=False)).default_queue, Known)
    assert isinstance(view_of(reads("KUBERNETES_PORT", links=False)).default_queue, Unknown)


def test_a_service_of_another_namespace_gives_none() -> None:
    there = {**REDIS, "metadata": {"name": "my-redis", "namespace": "other"}}
    assert isinstance(view_of(reads("MY_REDIS_PORT", others=(there,))).default_queue, Known)
