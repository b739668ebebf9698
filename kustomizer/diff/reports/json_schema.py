"""The JSON Schema of what `tutor-kustomizer diff -o json` prints."""

from __future__ import annotations

from typing import Any

from kustomizer.diff.model import ADD, CHANGE, DESTROY, REPLACE
from kustomizer.diff.reports.json import ACTIONS, VERSION
from kustomizer.findings.model import SEVERITIES

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_BOOLEAN = {"type": "boolean"}
_STRINGS = {"type": "array", "items": _STRING}
_NAMES = {"type": "object", "additionalProperties": _STRING, "minProperties": 1}


def _fields(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_WHOLE = {"type": "object", "description": "The whole object, its secrets masked."}
_HUNK = _fields(before=_COUNT, after=_COUNT, lines={"type": "array", "items": {"type": "string", "pattern": "^[-+ ]"}})
_CHANGES = [
    {
        "description": "One field. Without `before` it is added, without `after` it is removed; null is a value. "
        "`index` is where an item that is added to a list with keys stands afterwards.",
        **_fields(type={"const": "value"}, path=_ref("path"), before={}, after={}, index=_COUNT),
        "required": ["type", "path"],
        "anyOf": [{"required": ["before"]}, {"required": ["after"]}],
    },
    {
        "description": "A text of several lines, as hunks of a unified diff; `before` and `after` are line numbers.",
        **_fields(
            type={"const": "text"},
            path=_ref("path"),
            hunks={"type": "array", "items": _HUNK},
            newlineAtEnd=_fields(before=_BOOLEAN, after=_BOOLEAN),
        ),
    },
    {
        "description": "A list whose items are in another order afterwards: what identifies each, in that order.",
        **_fields(type={"const": "order"}, path=_ref("path"), after={"type": "array", "items": _NAMES}),
    },
    {
        "description": "The arguments of a Celery process, and what differs for it, in words.",
        **_fields(type={"const": "arguments"}, path=_ref("path"), before=_STRINGS, after=_STRINGS, notes=_STRINGS),
    },
]


def json_schema() -> dict[str, Any]:
    """Return the schema; readers take fields that they don't know, so that new ones may come."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What changes between two builds of a site",
        **_fields(
            version={"const": VERSION},
            compared={**_STRINGS, "description": "What was compared, in words."},
            summary=_fields(
                **dict.fromkeys((ADD, CHANGE, REPLACE, DESTROY, "unchanged", "ignored"), _COUNT),
                findings=_fields(**dict.fromkeys(SEVERITIES, _COUNT)),
            ),
            findings=_list("finding"),
            groups=_list("group"),
            renamings=_list("renaming"),
            queues=_fields(before={"type": "array"}, after={"type": "array"}),
            objects=_list("object"),
            ignored={
                "type": "array",
                "items": _fields(reason=_STRING, changes=_COUNT, findings=_COUNT, errors=_COUNT, stale=_BOOLEAN),
            },
        ),
        "$defs": _definitions(),
    }


def _definitions() -> dict[str, Any]:
    """Return the schemas of the parts, by name."""
    return {
        "id": {
            "description": "The version of its API isn't part of what an object is, nor is a hash in its name.",
            **_fields(group=_STRING, kind=_STRING, namespace=_STRING, name=_STRING),
        },
        "path": {
            "description": "Steps from the object to the field: a key of a mapping, a place in a list from 0, or "
            "the fields that tell an item of a list from the others, as {name: lms}.",
            "type": "array",
            "items": {"anyOf": [_STRING, _COUNT, _NAMES]},
        },
        "change": {"oneOf": _CHANGES},
        "object": {
            "oneOf": [
                _object(ADD, after=_WHOLE),
                _object(DESTROY, before=_WHOLE),
                _object(CHANGE, changes=_list("change")),
                _object(REPLACE, changes=_list("change")),
            ]
        },
        "group": {
            "description": "One change that many objects share; it stands in each object's changes, too.",
            **_fields(change=_ref("change"), objects={**_list("id"), "minItems": 2}),
        },
        "renaming": {
            "description": "A generated ConfigMap or Secret whose name ends in another hash, and what restarts.",
            **_fields(id=_ref("id"), before=_STRING, after=_STRING, proven=_BOOLEAN, rolls=_list("id")),
        },
        "finding": _fields(
            rule=_STRING,
            severity={"enum": list(SEVERITIES)},
            resource={
                "anyOf": [
                    {"type": "null"},
                    _fields(apiVersion=_STRING, kind=_STRING, namespace=_STRING, name=_STRING),
                ]
            },
            field=_STRING,
            message=_STRING,
            remedy=_STRING,
        ),
    }


def _object(action: str, **more: Any) -> dict[str, Any]:
    return _fields(
        id=_ref("id"),
        action={"const": action},
        actions={"const": ACTIONS[action]},
        apiVersion=_fields(before=_STRING, after=_STRING),
        **more,
    )
