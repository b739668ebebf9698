"""Reads the JSON of a comparison back into records: nothing is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.model import (
    ArgumentsChange,
    Hunk,
    Key,
    ObjectChange,
    ObjectId,
    OrderChange,
    TextChange,
    ValueChange,
)
from kustomizer.masking.marks import ABSENT

if TYPE_CHECKING:
    from kustomizer.diff.model import AnyChange, Step


def read_objects(document: dict[str, Any]) -> tuple[ObjectChange, ...]:
    """Return what happens to each object, as ``document`` says."""
    return tuple(read_object(each) for each in document["objects"])


def read_object(item: dict[str, Any]) -> ObjectChange:
    return ObjectChange(
        action=item["action"],
        id=ObjectId(**item["id"]),
        api_version=(item["apiVersion"]["before"], item["apiVersion"]["after"]),
        changes=tuple(read_change(each) for each in item.get("changes", ())),
        tree=item.get("before", item.get("after")),
    )


def read_change(item: dict[str, Any]) -> AnyChange:
    path = tuple(read_step(step) for step in item["path"])
    if item["type"] == "value":
        before, after = item.get("before", ABSENT), item.get("after", ABSENT)
        return ValueChange(path=path, before=before, after=after, index=item.get("index"))
    if item["type"] == "text":
        ends = item["newlineAtEnd"]
        hunks = tuple(Hunk(**each) for each in item["hunks"])
        return TextChange(path=path, hunks=hunks, newline_at_end=(ends["before"], ends["after"]))
    if item["type"] == "order":
        return OrderChange(path=path, after=tuple(Key(fields=tuple(each.items())) for each in item["after"]))
    before, after = tuple(item["before"]), tuple(item["after"])
    return ArgumentsChange(path=path, before=before, after=after, notes=tuple(item["notes"]))


def read_step(step: Any) -> Step:
    return Key(fields=tuple(step.items())) if isinstance(step, dict) else step
