"""Describes the configuration, from the records that read it: JSON Schema, reference page, the function's definition.

The description of a field is the string that follows it in its record. A build never imports this module.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from functools import cache
from typing import Any

from kustomizer import API_VERSION, KIND
from kustomizer.config.model import Document
from kustomizer.config.reader import ListOf, MapOf, Nullable, RecordField, Section, fields_of
from kustomizer.config.values import LARGEST, Boolean, Choice, Either, RawMap, Text, Type, Whole, join
from kustomizer.record import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema that accepts what :func:`kustomizer.config.reader.decode` does.

    It can't say what only several fields show, a queue that is given to two workers say: the function checks that.
    """
    definitions = {record.__name__: _object(record) for record in records()}
    return {"$schema": DIALECT, "title": KIND, **definitions.pop(Document.__name__), "$defs": definitions}


def reference_markdown() -> str:
    """Return the reference page: a table for each section, outermost first."""
    pages = [f"# The configuration: `{KIND}`, `{API_VERSION}`"]
    for record, paths in records().items():
        own_fields = [item for item in fields_of(record).items() if item[1].owner is record]
        bases = [base.__name__ for base in record.__bases__ if fields_of(base)]
        inherited = "".join(f"\n\nAnd every field of [{base}](#{base.lower()})." for base in bases)
        where = f"\n\nUsed at {' and '.join(f'`{path}`' for path in paths)}." if paths != [""] else ""
        pages.append(
            f"## {_title(record)}\n\n{inspect.getdoc(record)}{where}\n\n"
            "| Field | Value | Default | What it does |\n| --- | --- | --- | --- |\n"
            + "\n".join(_row(key, field) for key, field in own_fields)
            + inherited
        )
    return "\n\n".join(pages) + "\n"


def records() -> dict[type[Record], list[str]]:
    """Return every record of the configuration with the paths where it is used, outermost first."""
    paths: dict[type[Record], list[str]] = {}

    def visit(record: type[Record], path: str) -> None:
        paths.setdefault(record, []).append(path)
        for key, field in fields_of(record).items():
            inner, at = _innermost(field.type, join(path, key))
            if isinstance(inner, Section):
                visit(inner.record, at)

    visit(Document, "")
    return paths


def _innermost(kind: Type, path: str) -> tuple[Type, str]:
    """Return the type of the innermost values of lists and maps of ``kind``, and their path."""
    if isinstance(kind, Nullable):
        return _innermost(kind.inner, path)
    if isinstance(kind, ListOf):
        return _innermost(kind.item, f"{path}[]")
    if isinstance(kind, MapOf):
        return _innermost(kind.item, f"{path}.<{kind.key.placeholder}>")
    return kind, path


def _object(record: type[Record]) -> dict[str, Any]:
    fields = fields_of(record)
    required = [key for key, field in fields.items() if field.required]
    properties = {}
    for key, field in fields.items():
        default = field.owner._defaults.get(field.name)
        shown = {"default": default} if isinstance(default, (bool, int, str, dict, list)) else {}
        properties[key] = {**_entry(field.type), "description": description(field), **shown}
    return {
        "description": " ".join((inspect.getdoc(record) or "").split()),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _entry(kind: Type) -> dict[str, Any]:
    """Return the schema of a key's value, where null may mean an empty section."""
    needs_fields = isinstance(kind, Section) and any(field.required for field in fields_of(kind.record).values())
    return _nullable(_schema(kind)) if kind.blank and not needs_fields else _schema(kind)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def _schema(kind: Type) -> dict[str, Any]:
    if isinstance(kind, Nullable):
        return _nullable(_schema(kind.inner))
    if isinstance(kind, Either):
        return {"anyOf": [_schema(option) for option in kind.types]}
    if isinstance(kind, Section):
        return {"$ref": f"#/$defs/{kind.record.__name__}"}
    if isinstance(kind, ListOf):
        return {"type": "array", "items": _schema(kind.item)}
    if isinstance(kind, MapOf):
        names = _text(kind.key)
        limits = {} if names == {"type": "string"} else {"propertyNames": names}
        return {"type": "object", "additionalProperties": _entry(kind.item), **limits}
    return _simple(kind)


def _simple(kind: Type) -> dict[str, Any]:
    if isinstance(kind, Boolean):
        return {"type": "boolean"}
    if isinstance(kind, Whole):
        return {"type": "integer", "minimum": kind.minimum, "maximum": LARGEST}
    if isinstance(kind, Text):
        return _text(kind)
    if isinstance(kind, Choice):
        return {"enum": list(kind.words)}
    if isinstance(kind, RawMap):
        return {"type": "object"}
    raise NotImplementedError(type(kind).__name__)


def _text(kind: Text) -> dict[str, Any]:
    limits: dict[str, Any] = {"type": "string"}
    if kind.pattern:
        limits["pattern"] = kind.pattern
    if kind.min_length:
        limits["minLength"] = kind.min_length
    if kind.max_length < sys.maxsize:
        limits["maxLength"] = kind.max_length
    return limits


def description(field: RecordField) -> str:
    """Return the string that follows the field in its record."""
    return _descriptions(field.owner.__module__)[field.owner.__name__, field.name]


@cache
def _descriptions(module: str) -> dict[tuple[str, str], str]:
    """Return the string after each field of each class of a module. Python itself doesn't keep them."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    texts = {}
    for node in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                texts[node.name, ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return texts


def _title(record: type[Record]) -> str:
    return KIND if record is Document else record.__name__


def _row(key: str, field: RecordField) -> str:
    default = field.owner._defaults.get(field.name)
    if field.required:
        shown = "required"
    elif isinstance(default, bool):
        shown = f"`{str(default).lower()}`"
    elif isinstance(default, (str, int)):
        shown = f"`{default}`"
    else:
        shown = f"`{json.dumps(default)}`" if isinstance(default, dict) and default else ""
    cells = (f"`{key}`", _value(field.type), shown, description(field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(kind: Type) -> str:
    """Return what the table says about a field's values."""
    if isinstance(kind, Nullable):
        return _value(kind.inner)
    if isinstance(kind, ListOf):
        return f"list of: {_value(kind.item)}"
    if isinstance(kind, MapOf):
        return f"map of {kind.key.placeholder} to: {_value(kind.item)}"
    if isinstance(kind, Section):
        return f"[{_title(kind.record)}](#{_title(kind.record).lower()})"
    if isinstance(kind, Choice):
        return ", ".join(f"`{word}`" for word in kind.words)
    return kind.expects


def function_definition() -> dict[str, Any]:
    """Return the definition of this version of the function."""
    group, _, version = API_VERSION.partition("/")
    return {
        "apiVersion": "config.kubernetes.io/v1alpha1",
        "kind": "KRMFunctionDefinition",
        "metadata": {"name": f"{KIND.lower()}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": KIND},
            "description": "Gives each Celery queue of Open edX a worker of its own, as Tutor and its plugins emit it",
            "tags": ["mutator", "openedx", "celery", "keda"],
            "versions": [
                {
                    "name": version,
                    "schema": {"openAPIV3Schema": openapi_schema()},
                    "idempotent": True,
                    "license": "AGPL-3.0-only",
                    "runtime": {"exec": {"path": "tutor-celery-workers"}},
                }
            ],
        },
    }


def openapi_schema() -> dict[str, Any]:
    """Return the configuration's schema in OpenAPI 3.0, without what only a JSON Schema can say."""
    schema = json_schema()
    definitions = schema.pop("$defs")
    return _openapi({key: value for key, value in schema.items() if key not in {"$schema", "title"}}, definitions)


def _openapi(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is not None:
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        # Keywords next to a reference hold for this use of it.
        return _openapi({**definitions[reference.rpartition("/")[2]], **siblings}, definitions)
    if "anyOf" in schema:
        return _any_of(schema, definitions)
    converted = {key: value for key, value in schema.items() if key not in {"propertyNames", "properties", "items"}}
    if isinstance(converted.get("type"), list):
        converted["type"] = next(name for name in converted["type"] if name != "null")
        converted["nullable"] = True
    if "enum" in converted:
        words = [word for word in converted["enum"] if word is not None]
        converted |= {"type": "string", "enum": words, **({"nullable": True} if None in converted["enum"] else {})}
    if "properties" in schema:
        converted["properties"] = {key: _openapi(value, definitions) for key, value in schema["properties"].items()}
    elif converted.get("type") == "object" and "additionalProperties" not in schema:
        # One of Kubernetes' own structures, which is passed through.
        converted["x-kubernetes-preserve-unknown-fields"] = True
    if converted.get("type") == "array":
        item = schema.get("items", {"type": "object"})
        converted["items"] = _openapi(item, definitions)
    if isinstance(schema.get("additionalProperties"), dict):
        converted["additionalProperties"] = _openapi(schema["additionalProperties"], definitions)
    return converted


def _any_of(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    options = [option for option in schema["anyOf"] if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    nullable = {"nullable": True} if len(options) < len(schema["anyOf"]) else {}
    if len(options) == 1:
        return {**_openapi({**options[0], **rest}, definitions), **nullable}
    return {**rest, "anyOf": [_openapi(option, definitions) for option in options], **nullable}
