"""Makes B of A by what the JSON of a comparison says: what any other program would do with it."""

from __future__ import annotations

import copy
from typing import Any

Names = tuple[str, str, str, str]
Trees = dict[Names, Any]


def names(identity: dict[str, str]) -> Names:
    return identity["group"], identity["kind"], identity["namespace"], identity["name"]


def applied(document: dict[str, Any], before: Trees) -> Trees:
    """Return the objects of ``before``, displayable trees, with the changes of ``document`` made."""
    trees = copy.deepcopy(before)
    for item in document["objects"]:
        key = names(item["id"])
        if item["action"] == "destroy":
            assert trees.pop(key) == item["before"]
        elif item["action"] == "add":
            assert key not in trees
            trees[key] = item["after"]
        else:
            trees[key] = changed(trees[key], item["changes"])
    return trees


def changed(tree: Any, changes: list[dict[str, Any]]) -> Any:
    """Return ``tree`` with ``changes`` made: values first, as a place in a list counts from before, then orders."""
    root = {"": copy.deepcopy(tree)}
    gone: list[tuple[Any, Any]] = []
    for change in sorted(changes, key=lambda each: each["type"] == "order"):
        container, step = place(root, ["", *change["path"]])
        if change["type"] == "value" and "after" not in change:
            gone.append((container, container[step]))
            assert container[step] == change["before"]
            if isinstance(container, dict):
                del container[step]
        elif change["type"] == "value" and "before" not in change:
            if isinstance(container, dict):
                assert step not in container
                container[step] = change["after"]
            else:
                container.append(change["after"])
        elif change["type"] == "order":
            items = [item for item in container[step] if not removed(item, container[step], gone)]
            container[step][:] = [next(item for item in items if matches(item, key)) for key in change["after"]]
        else:
            container[step] = patched(container[step], change)
    for container, item in gone:
        if isinstance(container, list):
            container[:] = [each for each in container if each is not item]
    return root[""]


def removed(item: Any, container: Any, gone: list[tuple[Any, Any]]) -> bool:
    return any(where is container and each is item for where, each in gone)


def place(node: Any, path: list[Any]) -> tuple[Any, Any]:
    """Return the collection that holds the last step, and the step as Python takes it."""
    for step in path[:-1]:
        node = node[index(node, step)]
    return node, index(node, path[-1])


def index(node: Any, step: Any) -> Any:
    if isinstance(step, dict):
        return next((number for number, item in enumerate(node) if matches(item, step)), None)
    return step


def matches(item: Any, key: dict[str, str]) -> bool:
    return isinstance(item, dict) and all(str(item.get(name, "")) == value for name, value in key.items())


def patched(value: Any, change: dict[str, Any]) -> Any:
    if change["type"] != "text":
        assert value == change["before"]
        return change["after"]
    lines = value.split("\n")
    if change["newlineAtEnd"]["before"]:
        lines.pop()
    for hunk in reversed(change["hunks"]):
        old = [line[1:] for line in hunk["lines"] if line[0] != "+"]
        start = hunk["before"] - 1 if old else hunk["before"]
        assert lines[start : start + len(old)] == old
        lines[start : start + len(old)] = [line[1:] for line in hunk["lines"] if line[0] != "-"]
    return "\n".join(lines) + "\n" * change["newlineAtEnd"]["after"]
