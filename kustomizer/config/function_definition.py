"""The function's KRMFunctionDefinition, which catalogs and editors of KRM functions read.

Its form is in the proposal for kustomize's function catalog
(https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/2906-kustomize-function-catalog), and in kyaml
(fn/framework/function_definition.go). The schema is OpenAPI 3.0, which has no `$ref` here, no `null` and no
`propertyNames`.
"""

from __future__ import annotations

from typing import Any

from kustomizer import API_VERSION, KIND
from kustomizer.config.json_schema import json_schema


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
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        # Keywords next to a reference hold for this use of it.
        return _openapi({**definitions[reference.rpartition("/")[2]], **rest}, definitions)
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
