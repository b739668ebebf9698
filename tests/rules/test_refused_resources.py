"""refused-resources: requests and limits that an API server refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.small_site import problems, worker


def said(resources: Any) -> list[str]:
    return [problem.message for problem in problems("refused-resources", resources_of(resources))]


def resources_of(resources: Any) -> str:
    return worker("lms-worker", "q", container={"resources": resources})


@pytest.mark.parametrize(
    ("request_", "limit"), [("1Gi", "2G"), ("100m", 0.1), ("0.1", "100m"), (1, "1"), ("1e3", "1k"), ("2G", "2Gi")]
)
def test_a_request_within_the_limit(request_: Any, limit: Any) -> None:
    assert said({"requests": {"cpu": request_}, "limits": {"cpu": limit}}) == []


@pytest.mark.parametrize(
    ("request_", "limit"), [("2G", "1Gi"), ("1Gi", "1G"), ("1001m", 1), (2, "1500m"), ("1E", "1P")]
)
def test_a_request_above_the_limit(request_: Any, limit: Any) -> None:
    (problem,) = problems("refused-resources", resources_of({"requests": {"cpu": request_}, "limits": {"cpu": limit}}))
    assert problem.message == f"{request_} is more than limits.cpu, {limit}"
    assert problem.severity == "error"
    assert problem.field == "spec.template.spec.containers[0].resources.requests.cpu"


@pytest.mark.parametrize("name", ["mem", "memmory", "gpu", "storage", "CPU"])
def test_a_resource_that_nobody_has(name: str) -> None:
    assert said({"limits": {name: 1}}) == [f"{name} is no resource that Kubernetes knows"]
    assert said({"limits": {name: None}}) == []


@pytest.mark.parametrize("name", ["nvidia.com/gpu", "hugepages-2Mi"])
def test_what_cant_be_shared_has_a_limit_of_the_same(name: str) -> None:
    assert said({"requests": {name: 2}, "limits": {name: "2"}}) == []
    assert said({"limits": {name: 2}}) == []
    assert said({"requests": {name: 2}}) == [f"2 has no limits.{name}, which has to be the same"]
    assert said({"requests": {name: 1}, "limits": {name: 2}}) == [f"1 isn't limits.{name}, 2, which it has to be"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("512m", "0.512 bytes: m is a thousandth"),
        ("1500m", "1.5 bytes: m is a thousandth"),
        ("+512m", "0.512 bytes: m is a thousandth"),
        ("512000u", "0.512 bytes: u is a millionth"),
        ("1n", "1e-09 bytes: n is a billionth"),
        ("0.5", "0.5 bytes: a number without a unit counts bytes"),
        (0.5, "0.5 bytes: a number without a unit counts bytes"),
        ("5e-1", "0.5 bytes: a number without a unit counts bytes"),
        ("0.0015k", "1.5 bytes: a number without a unit counts bytes"),
        *((whole, "") for whole in ("128974848000m", "2000m", "1.1Gi", 0, "0m", "-0", "0.009k", "512", "1.5Ki")),
    ],
)
def test_a_part_of_a_byte(value: Any, expected: str) -> None:
    """However it is written."""
    found = said({"requests": {"memory": value, "cpu": "512m"}})
    assert found == ([f"{value} is {expected}"] if expected else [])
    assert said({"limits": {"ephemeral-storage": value}}) == found
    assert not said({"limits": {"cpu": value}})


@pytest.mark.parametrize(
    "value", ["1GiB", "", "-1", "+-1", "-1m", "1e٣", "1e+-3", "1,5", ".", "1.2.3", "1e", "1e3Mi", True, [1], {}]
)
def test_no_amount(value: Any) -> None:
    (message,) = said({"limits": {"memory": value}})
    assert "is no amount that Kubernetes knows" in message


@pytest.mark.parametrize("resources", [None, {}, {"limits": None}, {"limits": {"a": None}}, {"requests": {"cpu": "1"}}])
def test_nothing_to_compare(resources: Any) -> None:
    assert said(resources) == []


def test_more_than_the_whole_pod_has() -> None:
    """Kubernetes 1.34 has resources of the pod itself."""
    own = {"requests": {"memory": "2Gi", "cpu": "1"}, "limits": {"memory": "2Gi", "cpu": "1"}}
    pod = {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "3Gi"}}}
    (problem,) = problems("refused-resources", worker("lms-worker", "q", container={"resources": own}, pod=pod))
    assert problem.message == "2Gi is more than the whole pod's requests.memory, 1Gi"
    assert problem.field == "spec.template.spec.containers[0].resources.requests.memory"
