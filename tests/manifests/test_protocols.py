from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from kustomizer.errors import Problem, ResourceRef, UserError
from kustomizer.manifests import full_reader, protocols
from kustomizer.manifests.protocols import (
    Input,
    plain_config,
    read_document,
    read_resource_list,
    read_stream,
    write_resource_list,
    write_stream,
)
from kustomizer.manifests.resource import Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from tests import sites
from tests.examples import examples
from tests.kustomize_yaml import kustomize_trees
from tests.manifests.test_full_reader import BOMB

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
ITEMS = """\
items:
- apiVersion: v1
  data:
    a: |+
      b
      - c
      functionConfig:
        d: e

    f: 'g'
  kind: ConfigMap
  metadata:
    name: first
- apiVersion: v1
  kind: Secret
  metadata:
    name: second
  stringData:
    password: "hunter2\\n"
    text: |+
      x

"""
CONFIG = "functionConfig:\n  apiVersion: celery.openedx.io/v1alpha1\n  kind: CeleryWorkers\n  spec: {}\n"
WHOLE = HEAD + ITEMS + CONFIG
CONFIG_VALUE = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": "CeleryWorkers", "spec": {}}


@pytest.fixture
def no_full_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where the full parser is asked."""

    def fail(_text: str) -> Any:
        pytest.fail("the full parser was needed")

    monkeypatch.setattr(full_reader, "read_all", fail)


def values(given: Input) -> list[Any]:
    return [plain_value(resource.tree) for resource in given.resources]


def written(given: Input) -> str:
    return write_resource_list(given, given.resources, []).decode()


@pytest.mark.usefixtures("no_full_parser")
@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_kustomizes_form_passes_byte_for_byte(version: str) -> None:
    text = WHOLE.replace("io/v1\n", f"io/{version}\n", 1)
    given = read_resource_list(text.encode())
    assert [resource.name for resource in given.resources] == ["first", "second"]
    assert plain_config(given.config) == CONFIG_VALUE
    assert values(given)[0]["data"] == {"a": "b\n- c\nfunctionConfig:\n  d: e\n\n", "f": "g"}
    assert values(given)[1]["stringData"] == {"password": "hunter2\n", "text": "x\n\n"}
    assert written(given) == text


@pytest.mark.usefixtures("no_full_parser")
def test_an_edited_item_changes_nothing_else() -> None:
    given = read_resource_list(WHOLE.encode())
    given.resources[1].edit()["stringData"]["text"] = "changed"
    assert written(given) == WHOLE.replace("    text: |+\n      x\n\n", "    text: changed\n")


@given(st.lists(kustomize_trees(), min_size=1, max_size=5), kustomize_trees())
def test_any_resources_pass_byte_for_byte(trees: list[dict[str, Any]], config: dict[str, Any]) -> None:
    text = HEAD + "items:\n" + emit(trees) + emit({"functionConfig": config})
    split = protocols._split(text.encode())
    assert split is not None
    assert plain_value(split.config) == plain_value(config)
    assert values(split) == plain_value(trees)
    assert written(split) == text
    for resource in split.resources:
        resource.edit()
    assert written(split) == text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.removesuffix("\n"),
        lambda text: "---\n" + text,
        lambda text: text + "...\n",
        lambda text: text + "---\n",
        lambda text: "# a\n" + text,
        lambda text: text.replace("items:\n", "# a\nitems: # b\n# c\n"),
        lambda text: text.replace("- apiVersion: v1\n", "# a\n- # b\n  # c\n  apiVersion: v1 # d\n"),
        lambda text: text.replace("\n  kind: Secret", "\n  # a\n  kind: 'Secret'"),
        lambda text: text + "results:\n- message: a\n",
        lambda text: text + "'results':\n- message: a\n",
        lambda text: text.removesuffix("\n") + "\n  text: |\n    a",
        lambda text: text.replace("items:", "metadata: {name: a}\nitems:"),
        lambda text: HEAD + CONFIG + ITEMS,
        lambda text: ITEMS + CONFIG + HEAD,
        lambda text: text.replace("io/v1\n", "io/v1beta2\n", 1),
        lambda text: text.replace("  metadata:\n    name: first\n", "  metadata: {name: first}\n"),
        lambda text: text.replace("- apiVersion", "-\n  apiVersion"),
        lambda text: text.replace("- apiVersion: v1", "- 'apiVersion': \"v1\""),
        lambda text: json.dumps(plain_value(full_reader.read(text))),
        lambda text: json.dumps(plain_value(full_reader.read(text)), indent=4),
        lambda text: text.replace("name: first", "name: &a first").replace("name: second", "name: second\n    x: *a"),
        lambda text: text.replace("apiVersion: v1\n  kind: S", "apiVersion: &b v1\n  x: *b\n  kind: S"),
    ],
)
def test_other_forms_hold_the_same(change: Callable[[str], str]) -> None:
    text = change(WHOLE)
    expected = plain_value(full_reader.read_all(text)[0])
    given = read_resource_list(text.encode())
    assert [resource.name for resource in given.resources] == ["first", "second"]
    assert plain_config(given.config) == expected["functionConfig"]
    assert values(given) == expected["items"]
    again = plain_value(full_reader.read(written(given)))
    assert again == {key: value for key, value in expected.items() if key != "results"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "items: []\n" + CONFIG, []),
        (HEAD + "items:\n" + CONFIG, []),
        (HEAD + "items: null\n" + CONFIG, []),
        (HEAD + CONFIG, []),
        (HEAD + "items:\n- a: b\n", [{"a": "b"}]),
        (HEAD + "items:\n- &a {a: b}\n- *a\n" + CONFIG, [{"a": "b"}, {"a": "b"}]),
        (HEAD + "items:\n- a: &a b\n- a: *a\n" + CONFIG, [{"a": "b"}, {"a": "b"}]),
        (HEAD + "items:\n- a: b\u2028- a: c\n" + CONFIG, [{"a": "b"}, {"a": "c"}]),
        (HEAD + "items:\n- a: b\r- a: c\n" + CONFIG, [{"a": "b"}, {"a": "c"}]),
        (HEAD + "items:\n- a: 'b\u2028    c'\n" + CONFIG, [{"a": "b\u2028c"}]),
        (HEAD + "items:\n- a: |+\n    b\n    c\u2028- a: d\n" + CONFIG, [{"a": "b\nc\u2028"}, {"a": "d"}]),
    ],
)
def test_items(text: str, expected: list[Any]) -> None:
    given = read_resource_list(text.encode())
    assert values(given) == expected
    assert plain_value(full_reader.read(written(given)))["items"] == expected


def test_without_a_configuration() -> None:
    given = read_resource_list((HEAD + ITEMS).encode())
    with pytest.raises(UserError, match="functionConfig: the input holds no configuration"):
        plain_config(given.config)
    assert plain_value(full_reader.read(written(given))) == plain_value(full_reader.read(HEAD + ITEMS))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "kind: the input is not a ResourceList"),
        (b"\n# a\n", "the input is not a ResourceList"),
        (b"hunter2\n", "the input is not a ResourceList"),
        (b"- hunter2\n", "the input is not a ResourceList"),
        (b"null", "the input is not a ResourceList"),
        (b"kind: ConfigMap\n", "the input is not a ResourceList"),
        (b"kind: [ResourceList]\n", "the input is not a ResourceList"),
        (b"\xff\xfeh\x00u\x00n\x00", "the input is not UTF-8 text (byte 0)"),
        (b"kind: ResourceList\xe9\n", "the input is not UTF-8 text (byte 18)"),
        (b"kind: ResourceList\n\0", "control characters are not allowed"),
        (b"kind: ResourceList\n---\nkind: ResourceList\n", "expected one YAML document, found 2"),
        (b"kind: ResourceList\nkind: ResourceList\n", "the key 'kind' stands there twice"),
        (b"kind: ResourceList\nitems: hunter2\n", "items: is not a list"),
        (b"kind: ResourceList\nitems: {hunter2: a}\n", "items: is not a list"),
        (b"kind: ResourceList\nitems: [{}, hunter2]\n", "items[1]: is not an object"),
        (f"kind: ResourceList\n{CONFIG}  spec: hunter2\n".encode(), "the key 'spec' stands there twice"),
        (f"{WHOLE}  spec: hunter2\n".encode(), "the key 'spec' stands there twice"),
        (f"{WHOLE}items: []\n".encode(), "the key 'items' stands there twice"),
        (f"{WHOLE}  x: *hunter2\n".encode(), "an alias has no anchor before it"),
        (f"kind: ResourceList\n{BOMB}".encode(), "aliases expand to more than"),
        (f"{WHOLE}  x: {'[' * 10_000}\n".encode(), "collections nest deeper than"),
        (f"{WHOLE}  x:\n  {'- ' * 10_000}\n".encode(), "collections nest deeper than"),
    ],
)
def test_what_is_no_resource_list_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_resource_list(data)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("a: b\n  a: hunter2", "the key 'a' stands there twice"),
        ("a: 'hunter2", "not YAML"),
        ("a: *hunter2", "an alias has no anchor"),
        ("a: \0hunter2", "control characters are not allowed"),
        (BOMB.strip().replace("\n", "\n  "), "aliases expand to more than"),
        ("a: " + "[" * 10_000, "collections nest deeper than"),
        ("- " * 10_000 + "a", "collections nest deeper than"),
        ("hunter2", "is not an object"),
    ],
    ids=["twice", "quote", "alias", "NUL", "bomb", "brackets", "dashes", "scalar"],
)
def test_a_wrong_item_is_told_when_somebody_asks_for_it(item: str, message: str) -> None:
    given = read_resource_list(f"{HEAD}items:\n- {item}\n{CONFIG}".encode())
    with pytest.raises(UserError) as caught:
        Resources(given.resources)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_results_follow_the_configuration() -> None:
    given = read_resource_list(WHOLE.encode())
    resource = ResourceRef(api_version="v1", kind="A", name="b")
    problems = [
        Problem(message="is wrong", resource=resource, field="spec.a", remedy="Mend it."),
        Problem(message="a: b", severity="info"),
    ]
    text = write_resource_list(given, given.resources, problems).decode()
    assert text.startswith(WHOLE)
    assert plain_value(full_reader.read(text))["results"] == [
        {
            "message": "is wrong. Mend it.",
            "severity": "error",
            "resourceRef": {"apiVersion": "v1", "kind": "A", "name": "b"},
            "field": {"path": "spec.a"},
        },
        {"message": "a: b", "severity": "info"},
    ]


def test_no_items_are_left() -> None:
    given = read_resource_list(WHOLE.encode())
    assert write_resource_list(given, [], []).decode() == HEAD + "items: []\n" + CONFIG


STREAM = (
    "apiVersion: v1\nkind: A\nmetadata:\n  name: a\nz: |+\n  b\n\n---\napiVersion: v1\nkind: A\nmetadata:\n  name: c\n"
)


@pytest.mark.usefixtures("no_full_parser")
def test_a_stream_passes_byte_for_byte() -> None:
    given = read_stream(STREAM.encode(), CONFIG.encode())
    assert [resource.name for resource in given.resources] == ["a", "c"]
    assert values(given)[0]["z"] == "b\n\n"
    assert plain_config(given.config) == {"functionConfig": CONFIG_VALUE}
    assert write_stream(given.resources) == STREAM.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n", []),
        ("---\n", []),
        ("---\n---\n", []),
        ("# a\n", []),
        ("# a\n---\n  # b\n", []),
        ("null\n---\n...\n", []),
        ("a: b", [{"a": "b"}]),
        ("---\na: b\n---\nc: d\n---\n", [{"a": "b"}, {"c": "d"}]),
        ("# a\n---\na: b\n---\n# c\n", [{"a": "b"}]),
        ("{}\n---\n", [{}]),
        ("--- # a\na: b\n--- \nc: d\n...\n", [{"a": "b"}, {"c": "d"}]),
        ("%YAML 1.1\n---\na: b\n", [{"a": "b"}]),
        ("--- {a: b}\n--- {c: d}\n", [{"a": "b"}, {"c": "d"}]),
        ("a: b\r\n---\r\nc: d\r\n", [{"a": "b"}, {"c": "d"}]),
        ("a: b\n---\nc: |\n  ---\n  d\n", [{"a": "b"}, {"c": "---\nd\n"}]),
        ("a: b\u2028---\nc: d\n", [{"a": "b"}, {"c": "d"}]),
        ('{"a": "b"}', [{"a": "b"}]),
        ("a: |\n  b", [{"a": "b"}]),
    ],
)
def test_documents_of_a_stream(text: str, expected: list[Any]) -> None:
    given = read_stream(text.encode(), b"a: b")
    assert values(given) == expected
    trees = full_reader.read_all(write_stream(given.resources).decode())
    assert [plain_value(tree) for tree in trees if tree is not None] == expected


@pytest.mark.parametrize(
    ("data", "config", "message"),
    [
        (b"\xff", b"", "the input is not UTF-8 text"),
        (b"", b"\xff", "the input is not UTF-8 text"),
        (b"", b"a: b\n---\nc: d\n", "expected one YAML document, found 2"),
        (b"--- a\n--- b\n", b"", "document 1 of the input is not an object"),
        (b"--- {a: b}\n--- [c]\n", b"", "document 2 of the input is not an object"),
    ],
)
def test_a_wrong_stream_is_refused(data: bytes, config: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_stream(data, config)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b\n", {"a": "b"}),
        ("---\na: |+\n  b\n\n", {"a": "b\n\n"}),
        ("{a: b}", {"a": "b"}),
        ("", None),
        (" \n", None),
    ],
)
def test_a_document(text: str, expected: object) -> None:
    assert plain_value(read_document(text)) == expected


def ask_for_everything(given: Input) -> None:
    for resource in given.resources:
        _ = (resource.ref, resource.identity, resource.mentions("a"), plain_value(resource.tree))
        resource.edit()
    _ = written(given)


PIECES = [*HEAD.splitlines(keepends=True), *ITEMS.splitlines(keepends=True), *CONFIG.splitlines(keepends=True)]
NOISE = [
    *(
        "- ",
        "\n- ",
        "---\n",
        "...\n",
        "&a ",
        "*a",
        "!!x ",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        "|",
        "\t",
        "\0",
        "\u2028",
        "\r",
    ),
    *("? ", ": ", "<<: ", " ", "  ", "\\", "\\ud800", "%", "#", "\ufeff", "items:\n", "functionConfig:\n"),
]


@given(st.binary(max_size=60) | st.lists(st.sampled_from([*PIECES, *NOISE]), max_size=30).map("".join).map(str.encode))
@settings(max_examples=examples(500))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_resource_list, lambda data: read_stream(data, b"{}"), lambda config: read_stream(b"", config)):
        try:
            ask_for_everything(read(data))
        except UserError as error:
            assert str(error)


@given(st.data())
@settings(max_examples=examples(500))
def test_a_changed_resource_list_is_read_or_refused(data: st.DataObject) -> None:
    text = WHOLE
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 5)))
        text = text[:start] + data.draw(st.sampled_from([*NOISE, ""])) + text[end:]
    try:
        given = read_resource_list(text.encode())
        ask_for_everything(given)
        expected = plain_value(full_reader.read(text))
    except UserError as error:
        assert str(error)
        return
    assert values(given) == (expected.get("items") or [])
    assert plain_value(given.config) == expected.get("functionConfig")


def test_real_sites_pass_byte_for_byte(any_site: Path, any_kustomize: Path) -> None:
    config = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata:\n  name: a\nspec: {}\n"
    data = sites.function_input(any_kustomize, any_site, config)
    given = protocols._split(data)
    assert given is not None
    resources = Resources(given.resources)
    expected = sites.without_call_ids(data)
    assert write_resource_list(given, resources, []) == expected
    headers = [resource._head for resource in resources]
    assert None not in [resource._header for resource in resources]
    assert not any(resource._tree for resource in resources), "a header was not scanned"
    tree = full_reader.read(data.decode())
    assert values(given) == plain_value(tree["items"])
    assert plain_value(given.config) == plain_value(tree["functionConfig"])
    assert headers == [resource._header_of_tree() for resource in resources]
    for resource in resources:
        resource.edit()
    assert write_resource_list(given, resources, []) == expected
