"""The index in which copies look for what selects their pods: it may hold back nothing that does."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.selectors import NameIndex, required_names, selected_by

NAME = "app.kubernetes.io/name"


def made(kind: str, name: str, spec: Any) -> Resource:
    return Resource.new({"kind": kind, "metadata": {"name": name}, "spec": spec}, indent=0)


def budget(name: str, selector: Any) -> Resource:
    return made("PodDisruptionBudget", name, {"selector": selector})


DEPLOYMENT = made("Deployment", "lms-worker-high", {"template": {"metadata": {"labels": {NAME: "lms-worker-high"}}}})
SELECTORS = [
    {"matchLabels": {NAME: "lms-worker-high"}},
    {"matchLabels": {NAME: "lms-worker"}},
    {"matchLabels": {NAME: "lms-worker-high", "tier": "a"}},
    {"matchExpressions": [{"key": NAME, "operator": "In", "values": ["mysql", "lms-worker-high"]}]},
    {"matchExpressions": [{"key": NAME, "operator": "In", "values": ["mysql"]}]},
    {"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": ["mysql"]}]},
    {"matchExpressions": [{"key": NAME, "operator": "Exists"}]},
    {"matchLabels": {}},
    {},
    None,
]


@pytest.mark.parametrize(
    ("selector", "names"),
    list(
        zip(
            SELECTORS,
            [
                ("lms-worker-high",),
                ("lms-worker",),
                ("lms-worker-high",),
                ("mysql", "lms-worker-high"),
                ("mysql",),
                *[None] * 5,
            ],
            strict=True,
        )
    ),
)
def test_names_that_a_selector_requires(selector: Any, names: tuple[str, ...] | None) -> None:
    assert required_names(selector) == names


def test_index_gives_all_that_select_and_few_that_do_not() -> None:
    budgets = [budget(str(number), selector) for number, selector in enumerate(SELECTORS)]

    near = NameIndex(budgets).near("PodDisruptionBudget", DEPLOYMENT)

    assert [item for item in near if selected_by(item, DEPLOYMENT)] == [
        item for item in budgets if selected_by(item, DEPLOYMENT)
    ]
    assert [item.name for item in near] == ["0", "2", "3", "5", "6", "7", "8", "9"]


def test_a_policy_is_found_by_its_peers_too() -> None:
    policy = made(
        "NetworkPolicy",
        "mysql",
        {
            "podSelector": {"matchLabels": {NAME: "mysql"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {NAME: "lms-worker-high"}}}]}],
        },
    )

    assert NameIndex([policy]).near("NetworkPolicy", DEPLOYMENT) == [policy]


def test_what_is_added_comes_last() -> None:
    first, second = budget("b", {}), budget("a", {"matchLabels": {NAME: "lms-worker-high"}})
    index = NameIndex([first])
    index.add(second)

    assert index.near("PodDisruptionBudget", DEPLOYMENT) == [first, second]
