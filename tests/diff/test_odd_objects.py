"""A build may hold anything: what no API server would take is compared as well, and told of all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kustomizer.diff.compare import compare
from kustomizer.diff.findings import find
from kustomizer.diff.prepare import prepare
from kustomizer.manifests.equality import same
from kustomizer.manifests.tree import clone, plain_value
from tests import sites
from tests.builds import Builds
from tests.diff.apply import applied
from tests.diff.pairs import of_trees, resources, unchanged_secrets

ODD: list[Any] = [
    *(None, "", 0, 1, True, 1.5, float("nan"), [], {}, ["a"], {"a": 1}, [{}], [None], [[1]], {"name": "x"}),
    *([{"name": "x"}, {"name": "x"}], "a\nb\n", "x" * 300, -5, {"": 1}, ["celery", "worker"], ["celery", "worker", 1]),
]
NAMES = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}


@pytest.fixture(scope="module")
def trees(builds: Builds) -> list[Any]:
    return [plain_value(each.tree) for each in resources(builds.through_exec(sites.site("22")).stdout)]


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path and path not in NAMES:
        yield path
    for step, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from paths(child, (*path, step))


def spoil(tree: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*paths(tree)]))
    parent = tree
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = clone(data.draw(st.sampled_from(ODD)))


@given(st.data())
def test_whatever_stands_there_the_comparison_says_all_of_it(trees: list[Any], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(trees))), min_size=1, max_size=5, unique=True))
    before, after = ([clone(trees[index]) for index in chosen] for _ in range(2))
    for side in (before, after):
        for _ in range(data.draw(st.integers(0, 2))):
            spoil(data.draw(st.sampled_from(side)), data)
    sides = prepare(of_trees(*before), of_trees(*after))
    objects = compare(sides)
    find(sides, objects)
    changes = {each.id: each.changes for each in objects}
    for identity in sides.identities():
        old, new = (sides.masks.shown(tree, tree)[0] for tree in sides.trees(identity))
        if old is not None and new is not None:
            made = applied(old, changes.get(identity, ()))
            assert same(unchanged_secrets(made), unchanged_secrets(new))
