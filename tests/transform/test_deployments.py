"""Copies of a worker's Deployment, beyond what golden cases show."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.keda_site import Result, built, site, worked, worker

SPLIT = "{workers: {lms: {high: {}, high_mem: {}}}}"


def given(
    *,
    metadata: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    pod: dict[str, Any] | None = None,
    **fields: Any,
) -> bytes:
    """Return a site whose LMS worker has these fields, and its pods these annotations."""
    lms = worker("lms", ("default", "high", "high_mem"))
    lms["metadata"] |= metadata or {}
    lms["spec"]["template"]["metadata"]["annotations"] = annotations or {}
    lms["spec"]["template"]["spec"] |= pod or {}
    lms |= fields
    documents = [
        lms if each["metadata"]["name"] == "lms-worker" else each for each in yaml.safe_load_all(site().stream)
    ]
    return yaml.safe_dump_all(documents, sort_keys=False).encode()


def annotations_of(result: Result, name: str) -> dict[str, str]:
    found: dict[str, str] = result.get("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
    return found


@pytest.mark.parametrize(
    ("key", "value", "renamed", "instead"),
    [
        ("ad.datadoghq.com/lms-worker.logs", "[]", "ad.datadoghq.com/lms-worker-high.logs", "[]"),
        ("fluentbit.io/parser-lms-worker", "python", "fluentbit.io/parser-lms-worker-high", "python"),
        ("fluentbit.io/exclude_lms-worker", "true", "fluentbit.io/exclude_lms-worker-high", "true"),
        ("otel.io/container-names", "proxy,lms-worker", "otel.io/container-names", "proxy,lms-worker-high"),
        ("a.io/containers", "lms-worker", "a.io/containers", "lms-worker-high"),
        ("a.io/lms-worker", "lms-worker", "a.io/lms-worker-high", "lms-worker"),
        # They are about something else.
        ("a.io/service", "lms-worker", "a.io/service", "lms-worker"),
        ("a.io/lms-workers", "x", "a.io/lms-workers", "x"),
        ("lms-worker.io/a", "x", "lms-worker.io/a", "x"),
        ("a.io/containers", "lms-worker-2", "a.io/containers", "lms-worker-2"),
    ],
)
def test_annotations_that_name_the_container(key: str, value: str, renamed: str, instead: str) -> None:
    result = worked(SPLIT, given(annotations={key: value, "b.io/x": "1"}))
    assert annotations_of(result, "lms-worker-high") == {renamed: instead, "b.io/x": "1"}
    assert annotations_of(result, "lms-worker") == {key: value, "b.io/x": "1"}


def test_a_copy_is_a_new_object() -> None:
    """A site may be what `kubectl get` gave; an API server takes no new object with a version of another's."""
    live = {"uid": "1", "resourceVersion": "9", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"}
    annotations = {"deployment.kubernetes.io/revision": "7", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    annotations["argocd.argoproj.io/tracking-id"] = "edx:apps/Deployment:openedx/lms-worker"
    text = given(metadata={**live, "annotations": {**annotations, "mine": "1"}}, status={"replicas": 1})
    result = worked(SPLIT, text)
    copy, original = (result.get("Deployment", name) for name in ("lms-worker-high", "lms-worker"))
    assert not live.keys() & copy["metadata"].keys()
    assert copy["metadata"]["annotations"] == {"mine": "1"}
    assert "status" not in copy
    assert live.items() <= original["metadata"].items()
    assert annotations.items() <= original["metadata"]["annotations"].items()


def test_a_paused_deployment() -> None:
    lms = worker("lms", ("default", "high", "high_mem"))
    [warning] = worked(SPLIT, given(spec={**lms["spec"], "paused": True})).warnings
    assert (
        "spec.paused: leaves what runs as it is: of lms-worker, lms-worker-high, lms-worker-high-mem those" in warning
    )
    assert not worked(SPLIT, given(spec={**lms["spec"], "paused": False})).warnings


def test_resources_of_the_whole_pod() -> None:
    text = given(pod={"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi", "cpu": "4"}}})
    spec = "{workers: {lms: {high: {}, high_mem: {resources: {requests: {memory: %s}, limits: {cpu: %s}}}}}}"
    assert not worked(spec % ("2Gi", "4"), text).output.problems
    memory, cpu = built(spec % ("3Gi", "5"), text).errors
    assert "3Gi is more than the whole pod's requests.memory, 2Gi in Deployment lms-worker in namespace" in memory
    assert "Lower it, or raise the pod's own resources" in memory
    assert "5 is more than the whole pod's limits.cpu, 4" in cpu


@pytest.mark.parametrize("value", ["5", "true", "1.5", "{}", "null"])
def test_a_word_of_the_command_that_is_no_string(value: str) -> None:
    """An API server refuses the whole Deployment."""
    text = given().decode().replace("- --queues=edx.lms", f"- {value}\n        - --queues=edx.lms", 1)
    assert text != given().decode()
    [message] = built(SPLIT, text.encode()).errors
    assert "isn't a string: it needs quotes" in message
    assert "spec.template.spec.containers[0].args[" in message
