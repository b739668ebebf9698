"""cut-off-scaler: NetworkPolicies around Redis that don't let KEDA in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import deployment, problems, resource, scaled_object, trigger

REDIS = {"app.kubernetes.io/name": "redis"}
KEDA = {"kubernetes.io/metadata.name": "keda"}


def policy(*peers: Any, name: str = "redis", **spec: Any) -> str:
    spec = {"podSelector": {"matchLabels": REDIS}, "ingress": [{"from": [*peers]}], **spec}
    return resource("NetworkPolicy", name, api_version="networking.k8s.io/v1", spec=spec)


LMS = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "lms"}}}


def found(*policies: str, address: str = "redis.openedx:6379") -> list[str]:
    scaler = scaled_object("lms-worker", triggers=[trigger("a", address), trigger("b", address)])
    redis = (resource("Service", "redis", spec={"selector": REDIS}), deployment("redis", {"args": ["redis-server"]}))
    return [str(problem) for problem in problems("cut-off-scaler", *redis, scaler, *policies)]


@pytest.mark.parametrize(
    ("peers", "spec", "is_cut_off"),
    [
        ([LMS], {}, True),
        ([{"namespaceSelector": {"matchLabels": KEDA}}], {}, False),
        ([LMS, {"namespaceSelector": {}}], {}, False),
        ([{**LMS, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openedx"}}}], {}, True),
        ([{"ipBlock": {"cidr": "10.0.0.0/8"}}], {}, False),
        ([], {}, False),
        ([], {"ingress": []}, True),
        ([], {"ingress": None, "podSelector": {}}, True),
        ([], {"ingress": [], "policyTypes": ["Egress"]}, False),
        ([LMS], {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mysql"}}}, False),
        ([None, "odd"], {}, True),
    ],
)
def test_policies(peers: list[Any], spec: dict[str, Any], is_cut_off: bool) -> None:
    messages = found(policy(*peers, **spec))
    assert len(messages) == is_cut_off
    assert all("KEDA neither, which counts there for lms-worker-scaledobject: it" in message for message in messages)


def test_of_several_policies_one_is_enough() -> None:
    denying = policy(name="deny", podSelector={}, ingress=[])
    assert found(denying, policy({"namespaceSelector": {"matchLabels": KEDA}})) == []
    assert len(found(denying, policy(LMS))) == 1
    assert found(denying, address="cache.example.com:6379") == []
    assert len(found(denying, address="redis.openedx.svc.cluster.local:6379")) == 1
