"""The JSON Schema and the reference page say what the reader of the configuration does."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from hypothesis import event, example, given, settings, strategies as st

from kustomizer.config import types
from kustomizer.config.json_schema import description, json_schema, records, reference_markdown
from kustomizer.config.model import Document
from kustomizer.config.reader import ListOf, MapOf, Nullable, Section, decode, fields_of
from kustomizer.config.values import LARGEST, Boolean, Choice, Either, RawMap, Text, Type, Whole
from kustomizer.errors import UserError
from tests.examples import examples

jsonschema: Any = import_module("jsonschema")  # it states no types
SCHEMA = json_schema()
TEXTS = {name: kind for name, kind in vars(types).items() if isinstance(kind, Text)}
PERCENT = types.CountOrPercent.types[1]  # type: ignore[attr-defined]


def ecma_search(pattern: str, text: str) -> bool:
    """Search as ECMAScript does, where ``$`` is the end and not also the place before a last line break."""
    return re.search(re.sub(r"\$$", r"\\Z", pattern), text) is not None


def _pattern(_validator: object, pattern: str, instance: object, _schema: object) -> Any:
    if isinstance(instance, str) and not ecma_search(pattern, instance):
        yield jsonschema.ValidationError(f"{instance!r} doesn't match {pattern}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})
VALIDATOR = Validator(SCHEMA)


def reader_accepts(document: object) -> bool:
    try:
        decode(Document, document, path="")
    except UserError:
        return False
    return True


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r"#/\$defs/(\w+)", str(SCHEMA)))
    assert names == set(SCHEMA["$defs"])


@pytest.mark.parametrize("record", records(), ids=lambda record: str(record.__name__))
def test_every_field_is_described(record: Any) -> None:
    assert (record.__doc__ or "").strip().endswith(".")
    for field in fields_of(record).values():
        text = description(field)
        assert text.endswith("."), field.name
        assert text.count("`") % 2 == 0, field.name


@pytest.mark.parametrize("name", SCHEMA["$defs"])
def test_defaults_are_values_that_the_schema_takes(name: str) -> None:
    for field in SCHEMA["$defs"][name]["properties"].values():
        if "default" in field:
            Validator({**field, "$defs": SCHEMA["$defs"]}).validate(field["default"])


@pytest.mark.parametrize("kind", [*TEXTS.values(), PERCENT], ids=[*TEXTS, "percent"])
@given(data=st.data())
@settings(max_examples=examples(200))
def test_patterns_accept_what_the_functions_do(kind: Text, data: st.DataObject) -> None:
    near = st.from_regex(kind.pattern, fullmatch=True) if kind.pattern else st.text()
    text = data.draw(near | st.text(max_size=4) | st.text("aZ0-_.,: %/\n\x85\ufeff@", max_size=6))
    accepted = not kind.accepts or bool(kind.accepts(text))
    assert accepted == ecma_search(kind.pattern, text)


@pytest.mark.parametrize("text", ["0%", "9%", "10%", "100%"])
def test_percentages(text: str) -> None:
    assert PERCENT.accepts(text)


@pytest.mark.parametrize("text", ["%", "01%", "101%", "1", "-1%", "1.5%", "50 %"])
def test_no_percentages(text: str) -> None:
    assert not PERCENT.accepts(text)


@pytest.mark.parametrize("text", ["redis:6379", "10.0.0.1:1", "[::1]:65535", "redis.redis-ns.svc:6379"])
def test_addresses(text: str) -> None:
    assert TEXTS["HostPort"].accepts(text)  # type: ignore[misc]


@pytest.mark.parametrize("text", ["redis", "redis:", ":6379", "a:0", "a:65536", "redis://a:6379", "u@a:1", "a:01"])
def test_no_addresses(text: str) -> None:
    assert not TEXTS["HostPort"].accepts(text)  # type: ignore[misc]


# Configurations out of the declarations themselves, right for the most part

JUNK = st.sampled_from(
    [None, True, False, 0, -1, 1, 1.0, 1.5, 2**31, "", "x", "30s", "a b", [], [None], {}, {"x": 1}, "50%"]
)
RAW = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), st.lists)
RAW_MAPS = st.dictionaries(st.text(max_size=3), RAW, max_size=2)
SLIPS: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(st.sampled_from(["queue", "queues"]), JUNK)


def values(kind: Type) -> st.SearchStrategy[Any]:
    """Return values of a type, one in thirty of which is anything else."""
    return st.integers(0, 29).flatmap(lambda number: JUNK if number == 0 else right(kind))


def right(kind: Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, Nullable):
        return st.none() | values(kind.inner)
    if isinstance(kind, ListOf):
        return st.lists(values(kind.item), max_size=2)
    if isinstance(kind, MapOf):
        return st.dictionaries(right(kind.key), values(kind.item), max_size=2)
    if isinstance(kind, Section):
        fields = fields_of(kind.record)
        wanted = {key: values(field.type) for key, field in fields.items() if field.required}
        others = {key: values(field.type) for key, field in fields.items() if not field.required}
        chosen = st.lists(st.sampled_from(list(others)), max_size=3, unique=True) if others else st.just([])
        some = chosen.flatmap(lambda keys: st.fixed_dictionaries({**wanted, **{key: others[key] for key in keys}}))
        return st.builds(lambda fields, slip: {**slip, **fields}, some, SLIPS)
    return right_value(kind)


def right_value(kind: Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, Boolean):
        return st.booleans()
    if isinstance(kind, Whole):
        return st.integers(max(kind.minimum - 1, -5), kind.minimum + 5) | st.just(LARGEST + 1)
    if isinstance(kind, Choice):
        return st.sampled_from(kind.words)
    if isinstance(kind, Either):
        return st.one_of(*map(values, kind.types))
    if isinstance(kind, RawMap):
        return RAW_MAPS
    assert isinstance(kind, Text)
    return st.from_regex(kind.pattern, fullmatch=True) if kind.pattern else st.text(max_size=5)


def in_spec(**spec: object) -> dict[str, object]:
    return {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers", "spec": spec}


DOCUMENTS = st.fixed_dictionaries(
    {"apiVersion": st.just("celery.openedx.io/v1alpha1"), "kind": st.just("CeleryWorkers")},
    optional={"spec": right(fields_of(Document)["spec"].type), "metadata": RAW | RAW_MAPS},
)


@given(DOCUMENTS)
@settings(max_examples=examples(500))
@example({})
@example([])
@example(in_spec())
@example({**in_spec(), "spec": None, "metadata": None})
@example(in_spec(workers={"lms": {"high": None, "default": {"queues": []}}, "cms": None}))
@example(in_spec(workers={"lms": {"high": {"queues": None, "keda": None, "nodeSelector": {"a": None}}}}))
@example(in_spec(defaults={"queues": []}))
@example(in_spec(defaults={"env": [{"name": "A", "value": None}]}))
@example(in_spec(defaults={"env": [None]}))
@example(in_spec(defaults={"replicas": 2.0}))
@example(in_spec(defaults={"replicas": True}))
@example(in_spec(defaults={"visibilityTimeout": "30s"}))
@example(in_spec(copyTargeting=None))
@example(in_spec(minimumVersion="0.1\n"))
@example(in_spec(minimumVersion=None))
@example(in_spec(flower={"enabled": None}))
@example(in_spec(broker={"address": "redis:6379\n"}))
@example(in_spec(workers={"x" * 64: {}}))
def test_schema_and_reader_agree(document: object) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(document)]
    event("right" if not errors else "wrong")
    assert (not errors) == reader_accepts(document), errors


def test_the_reference_names_every_field_once() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", reference_markdown(), flags=re.MULTILINE)
    fields = [key for record in records() for key, field in fields_of(record).items() if field.owner is record]
    assert rows == fields


def test_every_link_of_the_reference_leads_to_a_heading() -> None:
    page = reference_markdown()
    anchors = {heading.lower() for heading in re.findall(r"^## (\w+)$", page, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", page)) <= anchors


def test_the_reference_says_where_default_and_values() -> None:
    page = reference_markdown()
    assert "Used at `spec.workers.<service>.<variant>`." in page
    assert "And every field of [WorkerSettings](#workersettings)." in page
    assert "| `unassignedQueues` | `Error`, `KeepOnDefault`, `Ignore` | `Error` | What to do" in page
    assert '| `labels` | map of key to: a string | `{"release": "prometheus"}` |' in page
    assert "| `enabled` | true or false | `false` |" in page
    assert "| `queue` | a queue's name, without white space or comma | required |" in page
