"""The patch of one object, applied by a few lines that know nothing of how it was derived."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, strategies as st

from kustomizer.export.json_patch import Operation, operations
from kustomizer.manifests.equality import same

NAMES = st.sampled_from(["name", "a", "b/c", "d~e", "0"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def apply(tree: Any, patch: list[Operation]) -> Any:
    """Apply a JSON patch, as RFC 6902 has it."""
    tree = copy.deepcopy(tree)
    for operation in patch:
        *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        place = tree
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        key = last if isinstance(place, dict) else len(place) if last == "-" else int(last)
        if operation["op"] == "test":
            assert same(place[key], operation["value"])
        elif operation["op"] == "remove":
            del place[key]
        elif isinstance(place, list) and operation["op"] == "add":
            place.insert(key, operation["value"])
        else:
            assert operation["op"] == "add" or key in (place if isinstance(place, dict) else range(len(place)))
            place[key] = operation["value"]
    return tree


@given(OBJECTS, OBJECTS)
def test_the_patch_makes_the_one_from_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    patched = apply(before, list(operations(before, after)))
    assert same(patched, after)
    assert bool(list(operations(before, after))) != same(before, after)


def test_what_names_an_element_is_tested_before_it_is_changed() -> None:
    before = {"volumes": [{"name": "config", "a": 1}, {"name": "settings", "configMap": {"name": "x"}}]}
    after = {"volumes": [{"name": "config", "a": 2}, {"name": "ours", "projected": {}}, {"name": "more"}]}
    assert list(operations(before, after)) == [
        {"op": "test", "path": "/volumes/0/name", "value": "config"},
        {"op": "replace", "path": "/volumes/0/a", "value": 2},
        {"op": "test", "path": "/volumes/1/name", "value": "settings"},
        {"op": "replace", "path": "/volumes/1", "value": {"name": "ours", "projected": {}}},
        {"op": "add", "path": "/volumes/-", "value": {"name": "more"}},
    ]


def test_arguments_are_replaced_as_a_whole() -> None:
    before, after = {"args": ["celery", "worker"]}, {"args": ["celery", "worker", "--queues=a"]}
    assert list(operations(before, after)) == [{"op": "replace", "path": "/args", "value": after["args"]}]


def test_a_list_that_gets_shorter_is_replaced_as_a_whole() -> None:
    before, after = {"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "B"}]}
    assert list(operations(before, after)) == [{"op": "replace", "path": "/env", "value": after["env"]}]


def test_keys_are_escaped() -> None:
    before, after = {"annotations": {"a/b": "1", "c~d": "1"}}, {"annotations": {"a/b": "2"}}
    assert list(operations(before, after)) == [
        {"op": "remove", "path": "/annotations/c~0d"},
        {"op": "replace", "path": "/annotations/a~1b", "value": "2"},
    ]


def test_a_number_is_no_truth() -> None:
    assert not same({"a": [1]}, {"a": [True]})
    assert list(operations({"a": 0}, {"a": False})) == [{"op": "replace", "path": "/a", "value": False}]
