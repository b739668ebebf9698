"""What check's rules find in the second build, and not in the first."""

from __future__ import annotations

from tests.diff.rules.two_builds import changed, findings, found, secret
from tests.rules.small_site import deployment, hpa, resource, scaled_object, service, split_site, worker

FLOWER = deployment("flower", {"image": "mher/flower:2.0.1", "env": [{"name": "FLOWER_BASIC_AUTH", "value": "a:b"}]})
OPEN = deployment("flower", {"image": "mher/flower:2.0.1"})


def test_flowers_password_that_is_gone() -> None:
    assert found("flower-without-password", [FLOWER], [OPEN]) == [("info", "flower")]
    assert found("flower-without-password", [OPEN], [changed(OPEN, metadata__labels={"a": "b"})]) == []


def test_flower_that_is_exposed() -> None:
    labels = {"app.kubernetes.io/name": "flower"}
    inside = resource("Service", "flower", spec={"type": "ClusterIP", "selector": labels})
    outside = changed(inside, spec__type="LoadBalancer")
    assert found("flower-without-password", [OPEN, inside], [OPEN, outside]) == [("error", "flower")]


def test_a_scaler_that_loses_its_target() -> None:
    before = [*split_site(), scaled_object("lms-worker-high", minReplicaCount=1)]
    after = [*split_site(lms_worker_high=""), before[-1]]
    assert found("missing-target", before, after) == [("error", "lms-worker-high-scaledobject")]


def test_replicas_beside_a_scaler() -> None:
    before = [worker("lms-worker"), hpa("lms-worker")]
    after = [worker("lms-worker", replicas=2), hpa("lms-worker")]
    assert found("replicas-beside-autoscaler", before, after) == [("warning", "lms-worker")]


def test_images_that_diverge() -> None:
    after = [service("lms"), deployment("cms", {"image": "openedx:23"})]
    assert found("differing-images", [service("lms"), service("cms")], after) == [("warning", "cms")]


def test_a_password_in_clear_text() -> None:
    after = [deployment("lms", {"env": [{"name": "A_PASSWORD", "value": "n6TzK8"}]})]
    (finding,) = [each for each in findings([service("lms")], after) if each.rule == "clear-text-password"]
    assert "n6TzK8" not in str(finding)


def test_an_unchanged_object_whose_config_map_goes() -> None:
    lms = deployment("lms", {"envFrom": [{"configMapRef": {"name": "extra"}}]})
    before = [lms, resource("ConfigMap", "extra", data={"a": "b"})]
    assert found("missing-object", before, [lms]) == [("warning", "lms")]


def test_no_hash_of_a_secret_is_told() -> None:
    authentication = resource(
        "TriggerAuthentication",
        "redis",
        api_version="keda.sh/v1alpha1",
        spec={"secretTargetRef": [{"parameter": "password", "name": "redis", "key": "password"}]},
    )
    after = [secret("redis-2222222222", "a"), authentication]
    (finding,) = [each for each in findings([], after) if each.rule == "missing-object"]
    assert "2222" not in str(finding)


def test_no_known_secret_is_told() -> None:
    after = [service("lms"), deployment("cms", {"image": "me:n6TzKK4q@registry/a"}), secret("registry", "n6TzKK4q")]
    (finding,) = [each for each in findings([service("lms")], after) if each.rule == "differing-images"]
    assert "me:(secret)@registry/a" in finding.problem.message


def test_nothing_is_said_of_what_stays() -> None:
    broken = [*split_site(lms_worker_high=""), OPEN, hpa("nobody")]
    assert findings(broken, broken) == []
