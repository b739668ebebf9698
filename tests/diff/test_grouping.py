"""What several objects share is said once."""

from __future__ import annotations

from typing import Any

from kustomizer.diff.compare import comparison, groups
from kustomizer.diff.model import CHANGE, Key, ObjectChange, ObjectId, OrderChange, TextChange, ValueChange
from tests.diff.pairs import of_trees


def changed(name: str, *changes: Any) -> ObjectChange:
    identity = ObjectId(group="", kind="Service", namespace="openedx", name=name)
    return ObjectChange(action=CHANGE, id=identity, api_version=("v1", "v1"), changes=changes)


def test_the_most_widely_shared_first() -> None:
    one, two, three = (ValueChange(path=("spec", name), before=1, after=2) for name in "abc")
    found = groups([changed("x", one, two), changed("y", one, two, three), changed("z", two)])
    assert [(each.change, [item.name for item in each.objects]) for each in found] == [
        (two, ["x", "y", "z"]),
        (one, ["x", "y"]),
    ]


def test_other_values_are_another_change() -> None:
    for before, after in ((1, True), (1, "1"), (1, 1.0), ({"a": 1}, {"a": True}), ([1], ["1"])):
        first, second = (ValueChange(path=("a",), before=0, after=value) for value in (before, after))
        assert groups([changed("x", first), changed("y", second)]) == ()


def test_where_in_a_list_an_item_is_added_is_another_matter() -> None:
    first, second = (ValueChange(path=("env", Key(fields=(("name", "A"),))), after={}, index=index) for index in (0, 4))
    (group,) = groups([changed("x", first), changed("y", second)])
    assert len(group.objects) == 2


def test_any_kind_of_change() -> None:
    order = OrderChange(path=("env",), after=(Key(fields=(("name", "A"),)),))
    text = TextChange(path=("data", "a"), hunks=(), newline_at_end=(True, False))
    found = groups([changed("x", order, text), changed("y", text, order)])
    assert {type(each.change) for each in found} == {OrderChange, TextChange}


def test_an_annotation_on_everything_is_one_group() -> None:
    def site(version: str) -> Any:
        trees = [
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "annotations": {"version": version}}}
            for kind in ("Service", "ConfigMap")
            for name in "abc"
        ]
        return of_trees(*trees)

    (group,) = comparison(site("1"), site("2")).groups
    assert [str(each) for each in group.objects] == [
        *(f"ConfigMap {name}" for name in "abc"),
        *(f"Service {name}" for name in "abc"),
    ]
