"""Which fields of two trees differ, and that what is said of them makes the one into the other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kustomizer.diff.changes.trees import tree_changes
from kustomizer.diff.model import Key, OrderChange, ValueChange, path_text
from kustomizer.manifests.equality import same
from kustomizer.masking.marks import ABSENT
from tests.diff.apply import applied
from tests.diff.strategies import trees


def plain(before: Any, after: Any) -> tuple[Any, Any]:
    return before, after


def changes(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    found = tree_changes(before, after, plain)
    assert all(isinstance(each, ValueChange) for each in found), found
    return {path_text(each.path): (each.before, each.after) for each in found if isinstance(each, ValueChange)}


@given(trees())
def test_a_tree_does_not_differ_from_itself(tree: Any) -> None:
    assert tree_changes(tree, tree, plain) == ()


@given(trees(), trees())
def test_what_is_said_makes_one_tree_into_the_other(before: Any, after: Any) -> None:
    found = tree_changes(before, after, plain)
    assert same(applied(before, found), after)
    assert bool(found) is not same(before, after)


@given(trees(), trees())
def test_there_and_back_the_same_fields_differ(before: Any, after: Any) -> None:
    there, back = (
        {path_text(each.path) for each in tree_changes(*pair, plain)} for pair in ((before, after), (after, before))
    )
    assert there == back


def test_values_of_other_types_are_others() -> None:
    before = {"a": 1, "b": "1", "c": True, "d": 1, "e": None, "f": {}}
    after = {"a": "1", "b": "1", "c": 1, "d": 1.0, "e": "", "f": []}
    assert set(changes(before, after)) == {"a", "c", "d", "e", "f"}


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("resources.limits.memory", "1Gi", "1024Mi"),
        ("resources.limits.memory", "1Gi", 1073741824),
        ("resources.requests.cpu", "1", "1000m"),
        ("resources.requests.cpu", 1, "1"),
        ("resources.requests.cpu", 0.5, "500m"),
        ("spec.resources.requests.storage", "5Gi", "5120Mi"),
        ("spec.hard.pods", "10", 10),
        ("spec.capacity.storage", "1e3", "1k"),
        ("target.averageValue", "1", "1000m"),
        ("emptyDir.sizeLimit", "1Mi", "1024Ki"),
        ("resourceFieldRef.divisor", "1", 1),
    ],
)
def test_a_quantity_in_another_spelling_is_the_same(path: str, before: Any, after: Any) -> None:
    assert tree_changes(at(path, before), at(path, after), plain) == ()
    assert tree_changes(at(path, before), at(path, "7"), plain) != ()
    assert tree_changes(at(path, before), at(path, None), plain) != ()
    # Elsewhere it is another text.
    assert tree_changes(at(f"data.{path}.more", before), at(f"data.{path}.more", after), plain) != ()


def at(path: str, value: Any) -> Any:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def test_what_is_null_is_not_what_is_not_there() -> None:
    assert changes({"a": None}, {}) == {"a": (None, ABSENT)}


def test_an_item_in_the_middle_comes_where_it_stands() -> None:
    before = {"env": [{"name": "a"}, {"name": "c"}]}
    after = {"env": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    assert changes(before, after) == {"env[b]": (ABSENT, {"name": "b"})}
    assert applied(before, tree_changes(before, after, plain)) == after


def test_items_that_only_moved_are_one_change_of_order() -> None:
    before = {"initContainers": [{"name": "a", "image": "x"}, {"name": "b"}]}
    after = {"initContainers": [{"name": "b"}, {"name": "a", "image": "y"}]}
    first, second = tree_changes(before, after, plain)
    assert first == ValueChange(path=("initContainers", Key(fields=(("name", "a"),)), "image"), before="x", after="y")
    assert isinstance(second, OrderChange)
    assert [str(key) for key in second.after] == ["[b]", "[a]"]


def test_what_is_stated_twice_is_compared_by_its_place() -> None:
    before = {"env": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}
    after = {"env": [{"name": "a", "value": "1"}, {"name": "a", "value": "3"}]}
    assert changes(before, after) == {"env[1].value": ("2", "3")}


def test_a_list_without_keys_is_shown_whole_where_something_was_put_in() -> None:
    assert changes({"verbs": ["get", "list"]}, {"verbs": ["watch", "get", "list"]}) == {
        "verbs": (["get", "list"], ["watch", "get", "list"])
    }
    assert changes({"verbs": ["get"]}, {"verbs": ["get", "list"]}) == {"verbs[1]": (ABSENT, "list")}
    assert changes({"hosts": ["a", "b"]}, {"hosts": ["b", "a"]}) == {"hosts": (["a", "b"], ["b", "a"])}
