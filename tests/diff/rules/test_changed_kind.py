"""changed-kind: what server-side apply refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import deployment, resource

FROM_SECRET = {"valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
FROM_CONFIG = {"valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}
RECREATE = {"type": "Recreate"}


def with_volume(**source: Any) -> str:
    return deployment("a", {}, pod={"volumes": [{"name": "settings", **source}]})


def with_variable(**source: Any) -> str:
    return deployment("a", {"env": [{"name": "URL", **source}]})


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (with_volume(configMap={"name": "a"}), with_volume(projected={"sources": []}), "spec.volumes[settings]"),
        (with_variable(value="a"), with_variable(**FROM_SECRET), "spec.containers[a].env"),
        (with_variable(**FROM_SECRET), with_variable(value="a"), "spec.containers[a].env"),
        (with_variable(**FROM_CONFIG), with_variable(**FROM_SECRET), "spec.containers[a].env"),
        (
            deployment("a", {"livenessProbe": {"httpGet": {"port": 1}}}),
            deployment("a", {"livenessProbe": {"exec": {"command": ["a"]}}}),
            "spec.containers[a].livenessProbe",
        ),
    ],
)
def test_what_changes_its_kind(before: str, after: str, field: str) -> None:
    (problem,) = problems("changed-kind", [before], [after])
    assert (problem.severity, problem.field) == ("warning", f"spec.template.{field}")
    assert "server-side apply refuses" in problem.message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (with_volume(configMap={"name": "a"}), with_volume(configMap={"name": "b"})),
        (with_variable(value="a"), with_variable(value="b")),
        (with_variable(value="a"), deployment("a", {"envFrom": [{"secretRef": {"name": "a"}}]})),
        (deployment("a", {}), with_volume(configMap={"name": "a"})),
        (deployment("a", {}), with_variable(value="a")),
        (deployment("a", {}), deployment("a", {"livenessProbe": {"httpGet": {"port": 1}}})),
        (resource("ConfigMap", "a", data={"a": "b"}), resource("ConfigMap", "a", data={"a": "c"})),
        (deployment("a", {}, strategy=RECREATE), deployment("a", {})),
        (deployment("a", {}, strategy=RECREATE), deployment("a", {"image": "b"}, strategy=RECREATE)),
    ],
)
def test_what_stays_of_its_kind(before: str, after: str) -> None:
    assert found("changed-kind", [before], [after]) == []


def test_a_strategy_that_leaves_its_default_behind() -> None:
    (problem,) = problems("changed-kind", [deployment("a", {})], [deployment("a", {}, strategy=RECREATE)])
    assert problem.field == "spec.strategy.type"
