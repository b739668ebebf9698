"""missing-object: references to what isn't in the build."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.small_site import deployment, finder, problems, resource, scaled_object, trigger, worker

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


REFLECTED = {
    "reflector.v1.k8s.emberstack.com/reflection-allowed": "true",
    "reflector.v1.k8s.emberstack.com/reflection-auto-enabled": "true",
}
AUTO_NAMESPACES = "reflector.v1.k8s.emberstack.com/reflection-auto-namespaces"


def pulling() -> str:
    return worker("lms-worker", "a", pod={"imagePullSecrets": [{"name": "registry"}]})


def original(annotations: dict[str, str]) -> str:
    metadata = {"name": "registry", "namespace": "kube-system", "annotations": annotations}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}) + "\n"


@pytest.mark.parametrize(
    ("annotations", "is_copied"),
    [
        (REFLECTED, True),
        ({**REFLECTED, AUTO_NAMESPACES: "other, open.*"}, True),
        ({**REFLECTED, AUTO_NAMESPACES: "other"}, False),
        ({**REFLECTED, "reflector.v1.k8s.emberstack.com/reflection-allowed": "false"}, False),
        ({"replicator.v1.mittwald.de/replicate-to": "openedx"}, True),
        ({"replicator.v1.mittwald.de/replicate-to": "(["}, False),
        ({}, False),
    ],
)
def test_a_secret_that_is_copied_into_the_namespace(annotations: dict[str, str], is_copied: bool) -> None:
    assert (found(pulling(), original(annotations)) == []) == is_copied


@pytest.mark.parametrize(
    ("maker", "is_made"),
    [
        (resource("ExternalSecret", "registry"), True),
        (resource("ExternalSecret", "a", spec={"target": {"name": "registry"}}), True),
        (resource("ExternalSecret", "registry", spec={"target": {"name": "a"}}), False),
        (resource("ExternalSecret", "registry", namespace="other"), False),
        (resource("ClusterExternalSecret", "a", spec={"externalSecretName": "registry"}), True),
        (resource("SealedSecret", "registry"), True),
        (resource("SealedSecret", "a", spec={"template": {"metadata": {"name": "registry"}}}), True),
        (resource("Certificate", "a", spec={"secretName": "registry"}), True),
        (resource("Deployment", "registry"), False),
    ],
)
def test_a_secret_that_a_controller_makes(maker: str, is_made: bool) -> None:
    assert (found(pulling(), maker) == []) == is_made


@pytest.mark.parametrize("name", ["registry", "registry-5k4t2b8mhc"])
def test_what_is_in_no_namespace(name: str) -> None:
    (problem,) = problems("missing-object", pulling(), json.dumps(secret_without_namespace(name)) + "\n")
    assert problem.severity == "error"
    called = "" if name == "registry" else f" as {name}"
    assert problem.message == f"refers to Secret registry, which the build has{called} in no namespace"
    assert "namespace openedx" in problem.remedy


def test_a_reference_from_what_is_in_no_namespace() -> None:
    homeless = deployment("lms", {"envFrom": [{"configMapRef": {"name": "extra"}}]}, namespace="")
    (problem,) = problems("missing-object", homeless, resource("ConfigMap", "extra", data={}))
    assert problem.message == "refers to ConfigMap extra, which is in namespace openedx, and is in no namespace itself"
    assert problem.remedy == "Give this Deployment the namespace"
    assert problems("missing-object", homeless, resource("ConfigMap", "extra", namespace="", data={})) == []


def secret_without_namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
