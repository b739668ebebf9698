"""PodDisruptionBudgets, and the annotations that keep autoscalers of nodes away: KEDA brings both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keda_site import Result, metadata, site, worked

NAME = "app.kubernetes.io/name"
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
KEDA = "keda: {enabled: true}"


def high(settings: str, **given: Any) -> Result:
    """Return the build with these settings for lms-worker-high."""
    return worked(
        f"{{workers: {{lms: {{high: {{{settings}}}, high_mem: {{protectFromEviction: null}}}}}}}}", site(**given)
    )


def budget(name: str, selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(name)}
    return {**head, "spec": {"maxUnavailable": 0, "selector": selector, **spec}}


def pod_annotations(result: Result, name: str = "lms-worker-high") -> dict[str, str]:
    template = result.get("Deployment", name)["spec"]["template"]
    found: dict[str, str] = template["metadata"].get("annotations", {})
    return found


def test_nothing_without_keda() -> None:
    result = high("")
    assert not result.kinds("PodDisruptionBudget")
    assert not pod_annotations(result)


def test_keda_brings_both() -> None:
    result = high(KEDA)
    found = result.get("PodDisruptionBudget", "lms-worker-high")
    assert found == {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata("lms-worker-high"),
        "spec": {
            "maxUnavailable": 1,
            "selector": result.get("Deployment", "lms-worker-high")["spec"]["selector"],
        },
    }
    assert pod_annotations(result) == {SAFE_TO_EVICT: "false", DO_NOT_DISRUPT: "true"}
    assert result.kinds("PodDisruptionBudget") == ["lms-worker-high"]
    assert not pod_annotations(result, "lms-worker-high-mem")


def test_null_takes_them_back() -> None:
    result = high(f"{KEDA}, podDisruptionBudget: null, protectFromEviction: null")
    assert not result.kinds("PodDisruptionBudget")
    assert not pod_annotations(result)
    assert not pod_annotations(high(f"{KEDA}, protectFromEviction: false"))


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ("{maxUnavailable: 50%}", {"maxUnavailable": "50%"}),
        ("{maxUnavailable: null, minAvailable: 1}", {"minAvailable": 1}),
        (
            "{unhealthyPodEvictionPolicy: AlwaysAllow}",
            {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
        ),
    ],
)
def test_as_the_configuration_says(given: str, spec: dict[str, Any]) -> None:
    found = high(f"{KEDA}, podDisruptionBudget: {given}").get("PodDisruptionBudget", "lms-worker-high")["spec"]
    del found["selector"]
    assert found == spec


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        ("all-of-the-site", {"matchLabels": {"app.kubernetes.io/instance": "openedx-demo"}}),
        ("everything", {}),
        (
            "by-name",
            {"matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["lms-worker-high"]}]},
        ),
        ("lms-worker-high", {"matchLabels": {NAME: "lms-worker-high"}}),
    ],
)
def test_no_second_one(name: str, selector: dict[str, Any]) -> None:
    """With two budgets for a pod Kubernetes evicts it never; a plugin may well call its own after the worker."""
    result = high(KEDA, others=[budget(name, selector)])
    assert result.kinds("PodDisruptionBudget") == [name]
    assert result.get("PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 0
    (message,) = result.said("info")
    assert message.startswith(f"PodDisruptionBudget {name} in namespace openedx: spec.selector: already limits")
    assert "Set spec.workers.lms.high.podDisruptionBudget: null" in message


def test_one_for_other_pods_or_of_another_namespace_is_none() -> None:
    other = budget("other", {"matchLabels": {"app.kubernetes.io/name": "mysql"}})
    elsewhere = budget("elsewhere", {})
    elsewhere["metadata"]["namespace"] = "elsewhere"
    result = high(KEDA, others=[other, elsewhere])
    assert sorted(result.kinds("PodDisruptionBudget")) == ["elsewhere", "lms-worker-high", "other"]
    assert not result.said("info")


def test_a_second_run_changes_nothing() -> None:
    spec = f"{{defaults: {{{KEDA}}}, workers: {{lms: {{high: {{}}, high_mem: {{}}}}}}}}"
    first = worked(spec)
    assert worked(spec, first.output.data).output == first.output
