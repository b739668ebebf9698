"""Times divided, in what is applied: polling, cooldown, stabilisation windows, grace periods, visibility timeouts."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.builds import Loader

POLLING, COOLDOWN, GRACE = 30, 300, 30
"""Seconds where nothing is stated: KEDA's two, and Kubernetes' grace period."""
POLICY_SECONDS = 15
# What an HPA does where nothing is stated (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/,
# "Default Behavior"). The window for scaling down is the controllers' own, which the cluster has divided.
BEHAVIOR = {
    "scaleUp": {
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": POLICY_SECONDS},
            {"type": "Pods", "value": 4, "periodSeconds": POLICY_SECONDS},
        ]
    },
    "scaleDown": {"policies": [{"type": "Percent", "value": 100, "periodSeconds": POLICY_SECONDS}]},
}
_TIMEOUT = re.compile(r"(visibility_timeout['\"]?: *)(\d+)")


def faster(yaml_text: str, factor: float) -> str:
    """Return the documents with each of their times divided by ``factor``; what is whole seconds is at least 1.

    In Deployments terminationGracePeriodSeconds, in ScaledObjects pollingInterval, cooldownPeriod and the HPA's
    behavior (in HPAs too), in ConfigMaps the settings' visibility timeouts.
    """
    documents = [tree for tree in yaml.load_all(yaml_text, Loader) if tree]
    for tree in documents:
        if tree["kind"] == "Deployment":
            pod = tree["spec"]["template"]["spec"]
            pod["terminationGracePeriodSeconds"] = divided(pod.get("terminationGracePeriodSeconds", GRACE), factor)
        elif tree["kind"] == "ConfigMap":
            tree["data"] = {name: _settings(text, factor) for name, text in (tree.get("data") or {}).items()}
        elif tree["kind"] == "ScaledObject":
            _scaled_object(tree["spec"], factor)
        elif tree["kind"] == "HorizontalPodAutoscaler":
            tree["spec"]["behavior"] = _behavior(tree["spec"].get("behavior") or {}, factor)
    return yaml.safe_dump_all(documents, sort_keys=False)


def divided(seconds: float, factor: float) -> int:
    """Return whole seconds, as the API wants them: rounded up, so that nothing becomes shorter than it should be."""
    return max(1, -int(-seconds // factor)) if seconds else 0


def _settings(text: str, factor: float) -> str:
    return _TIMEOUT.sub(lambda found: f"{found[1]}{divided(int(found[2]), factor)}", text)


def _scaled_object(spec: dict[str, Any], factor: float) -> None:
    spec["pollingInterval"] = divided(spec.get("pollingInterval", POLLING), factor)
    spec["cooldownPeriod"] = divided(spec.get("cooldownPeriod", COOLDOWN), factor)
    hpa = spec.setdefault("advanced", {}).setdefault("horizontalPodAutoscalerConfig", {})
    hpa["behavior"] = _behavior(hpa.get("behavior") or {}, factor)


def _behavior(stated: dict[str, Any], factor: float) -> dict[str, Any]:
    result = {}
    for direction, default in BEHAVIOR.items():
        rules = {**default, **stated.get(direction, {})}
        rules["policies"] = [
            {**policy, "periodSeconds": divided(policy["periodSeconds"], factor)} for policy in rules["policies"]
        ]
        if "stabilizationWindowSeconds" in rules:
            rules["stabilizationWindowSeconds"] = divided(rules["stabilizationWindowSeconds"], factor)
        result[direction] = rules
    return result
