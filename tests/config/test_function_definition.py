"""The KRMFunctionDefinition: its schema takes the same configurations as the JSON Schema that editors use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from kustomizer.config.json_schema import function_definition, json_schema, openapi_schema
from tests import sites

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://spec.openapis.org/oas/v3.0.3#schema-object, as far as kube-openapi reads it (pkg/validation/spec/schema.go).
KEYWORDS = {
    "additionalProperties",
    "anyOf",
    "default",
    "description",
    "enum",
    "items",
    "maximum",
    "maxLength",
    "minimum",
    "minLength",
    "nullable",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-preserve-unknown-fields",
}
CONFIGS = sorted(
    [*sites.ROOT.glob("tests/golden/*/config.yaml"), sites.ROOT / "generators/recommended/celery-workers.yaml"]
)


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for each in inner:
        yield from schemas(each)


def as_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what an OpenAPI 3.0 schema means in JSON Schema's words, for a validator of those."""
    result = {key: value for key, value in schema.items() if key != "nullable"}
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = as_json_schema(result[key])
    if "properties" in result:
        result["properties"] = {key: as_json_schema(value) for key, value in result["properties"].items()}
    if "anyOf" in result:
        result["anyOf"] = [as_json_schema(option) for option in result["anyOf"]]
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


OURS = jsonschema.Draft202012Validator(as_json_schema(openapi_schema()))
EDITORS = jsonschema.Draft202012Validator(json_schema())


def test_what_it_names() -> None:
    definition = function_definition()
    assert (definition["apiVersion"], definition["kind"]) == ("config.kubernetes.io/v1alpha1", "KRMFunctionDefinition")
    assert definition["spec"]["group"] == "celery.openedx.io"
    assert definition["spec"]["names"] == {"kind": "CeleryWorkers"}
    assert [version["name"] for version in definition["spec"]["versions"]] == ["v1alpha1"]


def test_the_schema_is_openapis() -> None:
    for schema in schemas(openapi_schema()):
        assert set(schema) <= KEYWORDS
        assert isinstance(schema.get("type", ""), str)
        assert "items" in schema or schema.get("type") != "array"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.parent.name))
def test_it_takes_what_the_json_schema_takes(path: Any) -> None:
    config = yaml.safe_load(path.read_text())
    assert OURS.is_valid(config) == EDITORS.is_valid(config)


@pytest.mark.parametrize(
    "spec",
    [
        {"workers": {"lms": {"high": {"replicas": "many"}}}},
        {"workers": {"lms": {"high": {"keda": {"inFlight": "Sometimes"}}}}},
        {"worker": {}},
        {"routing": {"lms": {"a": {}}}},
    ],
)
def test_it_refuses_what_is_wrong(spec: dict[str, Any]) -> None:
    config = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers", "spec": spec}
    assert not OURS.is_valid(config)
