"""Lists of objects, as kubectl and the API give them, are read item by item."""

from __future__ import annotations

import json

import pytest
import yaml

from kustomizer.errors import UserError
from kustomizer.manifests.protocols import read_build

ITEM = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: n}, spec: {replicas: 2}}"


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: List\nitems:\n- {ITEM}\n",
        f"apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: ''\nitems:\n- {ITEM}\n",
        f"apiVersion: apps/v1\nkind: DeploymentList\nmetadata: {{}}\nitems:\n- {ITEM}\n",
        "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n"
        "- {metadata: {name: a, namespace: n}, spec: {replicas: 2}}\n",
        "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n"
        "- {apiVersion: null, kind: ~, metadata: {name: a, namespace: n}, spec: {replicas: 2}}\n",
        f"apiVersion: v1\nkind: List\nmetadata: {{name: all}}\nitems:\n- {ITEM}\n",
        f"apiVersion: v1\nkind: List\nitems:\n- null\n- {ITEM}\n-\n",
        f"apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: List, items: [{ITEM}]}}\n",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMapList, items: null}\n"
        "- {apiVersion: apps/v1, kind: DeploymentList, items: "
        "[{metadata: {name: a, namespace: n}, spec: {replicas: 2}}]}\n",
    ],
)
def test_its_items_are_read(text: str) -> None:
    other = "---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
    first, second = read_build((text + other).encode())
    assert (first.api_version, first.kind, first.namespace, first.name) == ("apps/v1", "Deployment", "n", "a")
    assert int(first.tree["spec"]["replicas"]) == 2
    assert second.kind == "Service"


def test_a_kind_that_only_ends_so_is_an_object() -> None:
    [item] = read_build(b"apiVersion: a/v1\nkind: AllowList\nmetadata: {name: a}\nitems: [{a: b}]\n")
    assert item.kind == "AllowList"


@pytest.mark.parametrize("items", ["items: []", "items: null", "items:"])
@pytest.mark.parametrize("kind", ["List", "ConfigMapList"])
def test_an_empty_list_has_nothing(kind: str, items: str) -> None:
    assert list(read_build(f"apiVersion: v1\nkind: {kind}\n{items}\n".encode())) == []


@pytest.mark.parametrize("kind", ["List", "ConfigMapList"])
def test_one_without_the_field_is_an_object(kind: str) -> None:
    """To kustomize 5.8.2 and kubectl 1.32 too: it stays in the build, and no API server has it."""
    [found] = read_build(f"apiVersion: v1\nkind: {kind}\nmetadata: {{}}\n".encode())
    assert (found.kind, found.name) == (kind, "")


@pytest.mark.parametrize("items", ["{}", "text", "2"])
def test_items_that_are_no_list_are_refused(items: str) -> None:
    with pytest.raises(UserError, match="items: the items of a List are no list"):
        read_build(f"apiVersion: v1\nkind: List\nitems: {items}\n".encode())


def test_lists_however_deep() -> None:
    item = yaml.safe_load(ITEM)
    for _ in range(60):
        item = {"apiVersion": "v1", "kind": "List", "items": [item]}
    [found] = read_build(json.dumps(item).encode())
    assert found.name == "a"


def test_an_item_that_is_no_object_is_refused() -> None:
    with pytest.raises(UserError, match=r"items\[1\]: an item of a List is not an object"):
        read_build(f"apiVersion: v1\nkind: List\nitems:\n- {ITEM}\n- text\n".encode())
