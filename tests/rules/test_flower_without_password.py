"""flower-without-password: who may look, and from where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import deployment, finder, problems, resource

found = finder("flower-without-password")
LABELS = {"app.kubernetes.io/name": "flower"}


def flower(env: list[dict[str, Any]] | None = None, **container: Any) -> str:
    return deployment("flower", {"image": "docker.io/mher/flower:2.0.1", "env": env or [], **container})


def service(kind: str = "ClusterIP") -> str:
    return resource("Service", "flower", spec={"type": kind, "selector": LABELS})


INGRESS = resource(
    "Ingress", "flower", spec={"rules": [{"http": {"paths": [{"backend": {"service": {"name": "flower"}}}]}}]}
)
HTTP_ROUTE = resource("HTTPRoute", "flower", spec={"rules": [{"backendRefs": [{"name": "flower", "port": 5555}]}]})
CADDY = resource("ConfigMap", "caddy-config", data={"Caddyfile": 'x {\n    import proxy "flower:5555"\n}\n'})
WITH_PASSWORD: list[list[dict[str, Any]]] = [
    [{"name": "FLOWER_BASIC_AUTH", "value": "user:secret"}],
    [{"name": "FLOWER_BASIC_AUTH", "valueFrom": {"secretKeyRef": {"name": "flower", "key": "auth"}}}],
]


@pytest.mark.parametrize("way_in", [INGRESS, HTTP_ROUTE, CADDY])
def test_it_is_exposed(way_in: str) -> None:
    (problem,) = problems("flower-without-password", flower(), service(), way_in)
    assert problem.severity == "error"
    assert "leads to it from outside" in problem.message
    for env in WITH_PASSWORD:
        assert found(flower(env), service(), way_in) == []


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_its_service_is_exposed(kind: str) -> None:
    assert found(flower(), service(kind)) == [("error", "flower")]


def test_only_the_cluster_reaches_it() -> None:
    assert found(flower(), service()) == [("info", "flower")]
    assert found(flower([{"name": "FLOWER_BASIC_AUTH", "value": ""}]), service()) == [("info", "flower")]


def test_the_password_may_be_an_argument_or_in_a_secret() -> None:
    assert found(flower(args=["celery", "flower", "--basic-auth=user:secret"])) == []
    reference = [{"secretRef": {"name": "flower"}}]
    assert found(flower(envFrom=reference)) == []
    assert found(flower(envFrom=reference), resource("Secret", "flower", data={"URL": ""})) == [("info", "flower")]
    assert found(flower(envFrom=reference), resource("Secret", "flower", data={"FLOWER_BASIC_AUTH": ""})) == []


def test_anyone_may_shut_workers_down() -> None:
    env = [*WITH_PASSWORD[0], {"name": "FLOWER_UNAUTHENTICATED_API", "value": "true"}]
    assert found(flower(env)) == [("error", "flower")]


def test_another_image_that_runs_flower() -> None:
    assert found(deployment("x", {"args": ["celery", "--broker=x", "flower"]})) == [("info", "x")]
    assert found(deployment("flowershop", {"image": "flowershop:1"})) == []


def test_a_sidecar_is_looked_at() -> None:
    sidecar = {"name": "flower", "image": "mher/flower:2.0.1", "restartPolicy": "Always"}
    (problem,) = problems("flower-without-password", deployment("lms", {}, pod={"initContainers": [sidecar]}))
    assert problem.field == "spec.template.spec.initContainers[0].env"
