"""Times divided, and nothing else changed."""

from __future__ import annotations

import yaml

from tests.control_plane.faster import divided, faster

GIVEN = """
kind: Deployment
spec: {replicas: 30, template: {spec: {terminationGracePeriodSeconds: 3600, containers: [{args: [--time-limit=300]}]}}}
---
kind: Deployment
spec: {template: {spec: {containers: []}}}
---
kind: ConfigMap
data:
  production.py: |
    BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 7200, 'port': 6379}
---
kind: ScaledObject
spec:
  maxReplicaCount: 30
  cooldownPeriod: 1800
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 3600}}}}
---
kind: Secret
stringData: {visibility_timeout: "7200"}
"""


def test_each_time_is_divided() -> None:
    stated, unstated, settings, scaled, secret = yaml.safe_load_all(faster(GIVEN, 10))

    assert stated["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 360
    assert stated["spec"]["template"]["spec"]["containers"] == [{"args": ["--time-limit=300"]}]
    assert stated["spec"]["replicas"] == 30
    assert unstated["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 3
    assert settings["data"]["production.py"] == (
        "BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 720, 'port': 6379}\n"
    )
    assert (scaled["spec"]["pollingInterval"], scaled["spec"]["cooldownPeriod"]) == (3, 180)
    behavior = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 360
    assert {policy["periodSeconds"] for rules in behavior.values() for policy in rules["policies"]} == {2}
    assert scaled["spec"]["maxReplicaCount"] == 30
    assert secret == {"kind": "Secret", "stringData": {"visibility_timeout": "7200"}}


def test_whole_seconds_and_never_none_of_them() -> None:
    assert [divided(seconds, 10) for seconds in (0, 1, 10, 15, 3600)] == [0, 1, 1, 2, 360]
