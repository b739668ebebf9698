"""missing-object: references to what isn't in the build."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import deployment, finder, problems, resource, scaled_object, trigger

found = finder("missing-object")
HASHED = "broker-5b8425f5cm"


def pod(**parts: Any) -> str:
    return deployment("lms", parts.pop("container", {}), pod=parts)


def authentication(secret: str) -> str:
    reference = {"parameter": "password", "name": secret, "key": "password"}
    return resource("TriggerAuthentication", "broker", spec={"secretTargetRef": [reference]})


def test_everything_is_there() -> None:
    volumes = [{"name": "a", "configMap": {"name": "config"}}, {"name": "b", "secret": {"secretName": "broker"}}]
    objects = [resource("ConfigMap", "config"), resource("Secret", "broker"), authentication("broker")]
    scaler = scaled_object("lms", triggers=[trigger("a", authenticationRef={"name": "broker"})])
    assert found(pod(volumes=volumes), *objects, scaler) == []


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"volumes": [{"secret": {"secretName": "broker"}}]}, "volumes[0].secret.secretName"),
        (
            {"volumes": [{"projected": {"sources": [{"secret": {"name": "broker"}}]}}]},
            "volumes[0].projected.sources[0].secret.name",
        ),
        ({"imagePullSecrets": [{"name": "broker"}]}, "imagePullSecrets[0].name"),
        (
            {"container": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "a"}}}]}},
            "containers[0].env[0].valueFrom.secretKeyRef.name",
        ),
        ({"container": {"envFrom": [{"secretRef": {"name": "broker"}}]}}, "containers[0].envFrom[0].secretRef.name"),
    ],
)
def test_a_pod_names_a_secret_of_the_cluster(parts: dict[str, Any], field: str) -> None:
    (problem,) = problems("missing-object", pod(**parts))
    assert (problem.severity, problem.field) == ("info", f"spec.template.spec.{field}")


def test_a_config_map_that_is_not_there() -> None:
    assert found(pod(volumes=[{"configMap": {"name": "config"}}])) == [("warning", "lms")]
    assert found(pod(volumes=[{"configMap": {"name": "config", "optional": True}}])) == []


def test_a_name_that_kustomize_hashed() -> None:
    (problem,) = problems("missing-object", authentication("broker"), resource("Secret", HASHED))
    assert problem.severity == "error"
    assert problem.message == f"refers to Secret broker, and kustomize called that {HASHED}"
    assert "disableNameSuffixHash" in problem.remedy


def test_a_hash_that_nothing_has() -> None:
    (problem,) = problems("missing-object", authentication(HASHED))
    assert (problem.severity, "generated name" in problem.message) == ("error", True)


def test_an_object_of_another_namespace() -> None:
    (problem,) = problems("missing-object", authentication("broker"), resource("Secret", "broker", namespace="other"))
    assert (problem.severity, "namespace other" in problem.message) == ("error", True)


def test_authentication_that_is_not_there() -> None:
    missing = trigger("a", authenticationRef={"name": "broker"})
    clusters = trigger("b", authenticationRef={"name": "broker", "kind": "ClusterTriggerAuthentication"})
    assert found(scaled_object("lms", triggers=[missing, missing, clusters])) == [("warning", "lms-scaledobject")]
