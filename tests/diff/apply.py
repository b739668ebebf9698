"""Makes one object into the other by what a comparison says of it: the proof that it says everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.changes.trees import _BY_NAME, _KEYS, _key
from kustomizer.diff.model import ArgumentsChange, Key, OrderChange, TextChange, ValueChange
from kustomizer.manifests.equality import same
from kustomizer.manifests.tree import clone
from kustomizer.masking.marks import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kustomizer.diff.model import AnyChange, Hunk, Path


def applied(tree: Any, changes: Iterable[AnyChange]) -> Any:
    """Return a copy of ``tree``, plain values, with ``changes`` made in their order."""
    root = {"": clone(tree)}
    for change in changes:
        path = ("", *change.path)
        parent = at(root, path[:-1])
        place = place_of(parent, path)
        if isinstance(change, TextChange):
            parent[place] = applied_text(parent[place], change)
        elif isinstance(change, ArgumentsChange):
            assert parent[place] == list(change.before)
            parent[place] = list(change.after)
        elif isinstance(change, OrderChange):
            items = parent[place]
            ordered = [items[must_find(path[-1], items, key)] for key in change.after]
            assert len(ordered) == len(items)
            parent[place] = ordered
        else:
            apply_change(parent, place, change)
    return root[""]


def apply_change(parent: Any, place: Any, change: ValueChange) -> None:
    if change.before is ABSENT:
        value = clone(change.after)
        if isinstance(parent, dict):
            assert place not in parent
            parent[place] = value
        else:
            parent.insert(len(parent) if change.index is None else change.index, value)
    elif change.after is ABSENT:
        del parent[place]
    else:
        assert same(parent[place], change.before)
        parent[place] = clone(change.after)


def at(node: Any, path: Path) -> Any:
    for end, step in enumerate(path):
        node = node[must_find(path[end - 1], node, step) if isinstance(step, Key) else step]
    return node


def place_of(parent: Any, path: Path) -> Any:
    step = path[-1]
    if not isinstance(step, Key):
        return step
    return find(str(path[-2]), parent, step)


def find(field: str, items: Sequence[Any], key: Key) -> int | None:
    """Return the place of the item with this key; ``field`` is the list's name."""
    for names in _KEYS.get(field, _BY_NAME):
        for position, item in enumerate(items):
            if isinstance(item, dict) and _key(item, names) == key:
                return position
    return None


def must_find(field: Any, items: Any, key: Key) -> int:
    place = find(str(field), items, key)
    assert place is not None, f"no {key} in {field}"
    return place


def applied_text(text: str, change: TextChange) -> str:
    lines = text.split("\n")
    assert text.endswith("\n") is change.newline_at_end[0]
    if not lines[-1]:
        lines.pop()
    result: list[str] = []
    position = 0
    for hunk in change.hunks:
        result += lines[position : hunk.before - 1]
        assert len(result) == hunk.after - 1
        position = hunk.before - 1 + applied_hunk(lines[hunk.before - 1 :], hunk, result)
    result += lines[position:]
    return "\n".join(result) + ("\n" if change.newline_at_end[1] else "")


def applied_hunk(lines: list[str], hunk: Hunk, result: list[str]) -> int:
    """Add what the hunk leaves to ``result``, and return how many lines it stands for."""
    count = 0
    for line in hunk.lines:
        assert line[:1] in ("+", "-", " ")
        if line[0] != "+":
            assert lines[count] == line[1:]
            count += 1
        if line[0] != "-":
            result.append(line[1:])
    return count
