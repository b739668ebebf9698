"""What holds for a worker and not for its copies, and what a copy of that looks like."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.selectors import NameIndex
from kustomizer.transform.copy_targeting import copy_for, is_needless, leaves_out

NAME = "app.kubernetes.io/name"


def deployment(name: str, namespace: str = "openedx", **labels: str) -> Resource:
    template = {"metadata": {"labels": {NAME: name, "site": "demo", **labels}}}
    return made("Deployment", name, {"template": template}, namespace)


def made(kind: str, name: str, spec: Any, namespace: str = "openedx") -> Resource:
    tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    return Resource.new(tree, indent=0)


WORKER, COPY = deployment("lms-worker"), deployment("lms-worker-high")


def selector(**labels: str) -> dict[str, Any]:
    return {"matchLabels": {NAME if key == "name" else key: value for key, value in labels.items()}}


def expression(operator: str, *values: str, key: str = NAME) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def budget(select: Any, name: str = "workers") -> Resource:
    return made("PodDisruptionBudget", name, {"maxUnavailable": 1, "selector": select})


@pytest.mark.parametrize("select", [
    selector(name="lms-worker"),
    selector(name="lms-worker", site="demo"),
    expression("In", "lms-worker", "cms-worker"),
    expression("NotIn", "lms-worker-high", "mysql"),
    {**selector(site="demo"), **expression("In", "lms-worker")},
    {**selector(name="lms-worker"), **expression("Exists", key="site")},
    {**selector(name="lms-worker"), **expression("DoesNotExist", key="job")},
])  # fmt: skip
def test_selectors_that_leave_copies_out(select: Any) -> None:
    assert leaves_out(budget(select), WORKER, COPY)


@pytest.mark.parametrize("select", [
    None,
    {},
    selector(site="demo"),
    selector(name="mysql"),
    selector(name="lms-worker", site="other"),
    expression("In", "lms-worker", "lms-worker-high"),
    expression("NotIn", "lms-worker"),
    expression("NotIn", "mysql"),
    expression("Exists"),
    expression("DoesNotExist", key="job"),
    expression("Unheard", "lms-worker"),
])  # fmt: skip
def test_selectors_that_take_copies_in_or_none(select: Any) -> None:
    assert not leaves_out(budget(select), WORKER, COPY)


def test_service_selects_by_a_plain_map() -> None:
    assert leaves_out(made("Service", "a", {"selector": {NAME: "lms-worker"}}), WORKER, COPY)
    assert not leaves_out(made("Service", "a", {"selector": {"site": "demo"}}), WORKER, COPY)
    assert not leaves_out(made("Service", "a", {"selector": {}}), WORKER, COPY)
    assert not leaves_out(made("Service", "a", {}), WORKER, COPY)


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "VerticalPodAutoscaler"])
def test_autoscalers_target_one_deployment(kind: str) -> None:
    field = {"HorizontalPodAutoscaler": "scaleTargetRef", "VerticalPodAutoscaler": "targetRef"}[kind]
    assert leaves_out(made(kind, "a", {field: {"kind": "Deployment", "name": "lms-worker"}}), WORKER, COPY)
    assert not leaves_out(made(kind, "a", {field: {"kind": "Deployment", "name": "lms"}}), WORKER, COPY)
    assert not leaves_out(made(kind, "a", {field: {"kind": "StatefulSet", "name": "lms-worker"}}), WORKER, COPY)
    assert not leaves_out(made(kind, "a", {}), WORKER, COPY)


def test_peers_of_policies_are_selectors_too() -> None:
    spec = {
        "podSelector": selector(name="mysql"),
        "ingress": [{"from": [{"podSelector": selector(name="lms-worker")}]}],
    }
    assert leaves_out(made("NetworkPolicy", "mysql", spec), WORKER, COPY)
    spec = {"podSelector": selector(name="a"), "egress": [{}, {"to": [{"podSelector": selector(name="lms-worker")}]}]}
    assert leaves_out(made("NetworkPolicy", "a", spec), WORKER, COPY)
    spec = {"podSelector": selector(name="mysql"), "ingress": [{"from": [{"namespaceSelector": {}}]}, {}]}
    assert not leaves_out(made("NetworkPolicy", "mysql", spec), WORKER, COPY)


# Copies


def test_copy_selects_the_copy_alone() -> None:
    """A pod that two budgets select can't be evicted at all."""
    made_copy = copy_for(budget(expression("In", "lms-worker", "cms-worker")), WORKER, COPY)

    assert made_copy.name == "workers-lms-worker-high"
    assert made_copy.tree["spec"] == {"maxUnavailable": 1, "selector": expression("In", "lms-worker-high")}


def test_copy_is_named_after_the_copy_where_the_original_is_named_after_the_worker() -> None:
    original = made("Service", "metrics-lms-worker", {"selector": {NAME: "lms-worker"}, "clusterIP": "None"})
    original.tree["metadata"]["labels"] = {NAME: "lms-worker", "team": "a"}
    original.tree["metadata"]["annotations"] = {"keep": "me", "config.k8s.io/id": "3"}

    made_copy = copy_for(original, WORKER, COPY)

    assert made_copy.tree == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "metrics-lms-worker-high",
            "namespace": "openedx",
            "labels": {NAME: "lms-worker-high", "team": "a"},
            "annotations": {"keep": "me"},
        },
        "spec": {"selector": {NAME: "lms-worker-high"}, "clusterIP": "None"},
    }
    assert original.tree["spec"]["selector"] == {NAME: "lms-worker"}


def test_other_strings_of_that_name_stay() -> None:
    spec = {"selector": selector(name="lms-worker"), "podMetricsEndpoints": [{"port": "lms-worker"}]}

    made_copy = copy_for(made("PodMonitor", "a", spec), WORKER, COPY)

    assert made_copy.tree["spec"]["podMetricsEndpoints"] == [{"port": "lms-worker"}]


def test_other_selectors_stay() -> None:
    peer = {"podSelector": expression("In", "mysql")}
    other_label = {"podSelector": {"matchLabels": {"app": "lms-worker"}}}
    excluded = {"podSelector": expression("NotIn", "lms-worker")}
    rules = [{"to": [peer, other_label, excluded]}]
    spec = {"podSelector": selector(name="lms-worker"), "egress": rules}

    assert copy_for(made("NetworkPolicy", "a", spec), WORKER, COPY).tree["spec"]["egress"] == rules


def test_policy_of_the_worker_is_copied_whole_and_that_of_another_without_its_other_peers() -> None:
    workers = [{"podSelector": selector(name="lms-worker")}, {"podSelector": selector(name="cms-worker")}]
    rules = [{"from": workers, "ports": [1]}, {"from": [{"podSelector": selector(name="backup")}]}]
    own = made("NetworkPolicy", "a", {"podSelector": selector(name="lms-worker"), "ingress": rules})
    mysql = made(
        "NetworkPolicy", "b", {"podSelector": selector(name="mysql"), "ingress": rules, "policyTypes": ["Ingress"]}
    )

    whole = copy_for(own, WORKER, COPY).tree["spec"]
    peers = copy_for(mysql, WORKER, COPY).tree["spec"]

    assert whole["podSelector"] == selector(name="lms-worker-high")
    assert whole["ingress"][1:] == rules[1:]
    assert [peer["podSelector"]["matchLabels"][NAME] for peer in whole["ingress"][0]["from"]] == [
        "lms-worker-high",
        "cms-worker",
    ]
    assert peers == {
        "podSelector": selector(name="mysql"),
        "ingress": [{"from": [{"podSelector": selector(name="lms-worker-high")}], "ports": [1]}],
        "policyTypes": ["Ingress"],
    }


def test_an_autoscaler_or_a_budget_that_is_there_for_the_copy_counts() -> None:
    for original, present in (
        (budget(selector(name="lms-worker")), budget(expression("NotIn", "lms-worker"), "others")),
        (hpa("a", "lms-worker"), hpa("b", "lms-worker-high")),
    ):
        new = copy_for(original, WORKER, COPY)
        assert is_needless(new, COPY, NameIndex([original, present]))
        assert not is_needless(new, COPY, NameIndex([original]))


def test_a_policy_that_says_the_same_counts_whatever_its_name() -> None:
    original = made("NetworkPolicy", "a", {"podSelector": selector(name="lms-worker")})
    new = copy_for(original, WORKER, COPY)

    same = made("NetworkPolicy", "other-name", {"podSelector": selector(name="lms-worker-high")})
    narrower = made("NetworkPolicy", "x", {"podSelector": selector(name="lms-worker-high"), "ingress": []})
    assert is_needless(new, COPY, NameIndex([original, same]))
    assert not is_needless(new, COPY, NameIndex([original, narrower]))


def hpa(name: str, target: str) -> Resource:
    return made("HorizontalPodAutoscaler", name, {"scaleTargetRef": {"kind": "Deployment", "name": target}})
